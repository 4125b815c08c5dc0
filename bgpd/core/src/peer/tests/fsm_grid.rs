//! Every cell of the table, printed: a changed cell shows in review.

use super::super::fsm::{Event, State, Step, step};

fn cell(step: Step) -> String {
    match step {
        Step::Go(state, effect) => format!("{state} {effect:?}"),
        Step::Stay(effect) => format!("= {effect:?}"),
        Step::Begin => "begin".to_owned(),
        Step::Ignore => "-".to_owned(),
    }
}

#[test]
fn the_grid_is_the_one_in_the_file() {
    let mut grid = String::new();
    for event in Event::ALL {
        let cells = State::ALL.map(|state| format!("{:<26}", cell(step(state, event))));
        grid.push_str(&format!("{:<17}{}", format!("{event:?}"), cells.join(" ")));
        grid.truncate(grid.trim_end().len());
        grid.push('\n');
    }
    let expected = include_str!("fsm_grid.txt");
    assert!(grid == expected, "the grid is now:\n{grid}");
}
