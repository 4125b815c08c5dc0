//! Shapes of networks: who is joined to whom.

use ferrite_sim::Random;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Ring,
    Grid,
    Tree,
    FullMesh,
    /// One router in the middle, all others at it.
    Hub,
    /// Leaves, each joined to every spine.
    Clos,
}

impl Shape {
    pub const ALL: [Self; 6] = [Self::Ring, Self::Grid, Self::Tree, Self::FullMesh, Self::Hub, Self::Clos];

    pub fn any(random: &mut Random) -> Self {
        Self::ALL[random.below(Self::ALL.len() as u64) as usize]
    }

    /// Links between routers 0 to `n`, all of them connected.
    pub fn edges(self, n: usize) -> Vec<(usize, usize)> {
        match self {
            // Two routers have one link, not two.
            Self::Ring => (0..n).map(|at| (at, (at + 1) % n)).take(if n > 2 { n } else { n - 1 }).collect(),
            Self::Grid => {
                let side = (1..=n).find(|side| side * side >= n).unwrap_or(1);
                let right = (0..n).filter(|at| at % side + 1 < side).map(|at| (at, at + 1));
                right.chain((0..n).map(|at| (at, at + side))).filter(|(_, to)| *to < n).collect()
            }
            Self::Tree => (1..n).map(|at| ((at - 1) / 3, at)).collect(),
            Self::FullMesh => (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect(),
            Self::Hub => (1..n).map(|at| (0, at)).collect(),
            Self::Clos => {
                let spines = (n / 8).clamp(1, 4);
                (spines..n).flat_map(|leaf| (0..spines).map(move |spine| (spine, leaf))).collect()
            }
        }
    }
}
