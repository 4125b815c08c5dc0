//! Text that came from outside, made fit to be shown: on a terminal, in a log, in JSON, on a page.

/// Octets as text; what is no UTF-8 and what steers instead of showing is replaced.
pub fn printable(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets)
        .chars()
        .map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// Whether a character does something to a terminal (controls of ASCII and Latin-1, line separators) or to the order in
/// which a text is read (Unicode's marks, embeddings, overrides and isolates), or hides (zero width).
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{061c}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_replaced() {
        for odd in ["\x1b", "\0", "\n", "\u{9b}", "\u{202e}", "\u{2066}", "\u{200b}", "\u{feff}"] {
            assert_eq!(printable(format!("a{odd}b").as_bytes()), "a\u{fffd}b", "{odd:?}");
        }
        assert_eq!(printable(&[b'a', 0xff]), "a\u{fffd}");
    }

    #[test]
    fn what_shows_is_kept() {
        for text in ["", "rtr-1.example.net", "Zürich", "東京", "\"quoted\" <b>&"] {
            assert_eq!(printable(text.as_bytes()), text);
        }
    }
}
