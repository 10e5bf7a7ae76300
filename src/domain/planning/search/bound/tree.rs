//! The options of a slot in a tree of boxes of nutrients, so that many can be ruled out at once.

use super::nutrition::Nutrition;
use super::options::Options;

/// Nodes come before their children; a leaf holds one option.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// First child, or none for a leaf; the second child is stored beside it.
    children: Vec<Option<u32>>,
    option: Vec<u32>,
    low: Vec<i32>,
    high: Vec<i32>,
    size: Vec<i64>,
    width: usize,
    /// Leaf of each option of the slot, for those in the tree.
    leaf: Vec<u32>,
}

/// The least value below each node.
pub(crate) type Least = Vec<i64>;

/// The value of what is not open; sums of a few do not overflow.
pub(crate) const CLOSED: i64 = i64::MAX / 8;

impl Tree {
    pub(crate) fn new(options: &Options, open: &[u32], nutrition: &Nutrition) -> Self {
        let mut tree = Self { width: nutrition.len(), leaf: vec![0; options.len()], ..Self::default() };
        let mut ids = open.to_vec();
        tree.push();
        tree.grow(0, &mut ids, options, nutrition);
        tree
    }

    fn push(&mut self) -> usize {
        self.children.push(None);
        self.option.push(0);
        self.size.push(0);
        self.low.extend(std::iter::repeat_n(i32::MAX, self.width));
        self.high.extend(std::iter::repeat_n(i32::MIN, self.width));
        self.children.len() - 1
    }

    fn grow(&mut self, node: usize, ids: &mut [u32], options: &Options, nutrition: &Nutrition) {
        let (mut widest, mut split) = (-1, 0);
        for n in 0..self.width {
            let amounts = ids.iter().map(|&o| options.amounts(o as usize)[n]);
            let low = amounts.clone().min().unwrap_or(0);
            let high = amounts.max().unwrap_or(0);
            self.low[node * self.width + n] = low;
            self.high[node * self.width + n] = high;
            let extent = (i64::from(high) - i64::from(low)) * nutrition.weight(n);
            self.size[node] += extent;
            if extent > widest {
                (widest, split) = (extent, n);
            }
        }
        if ids.len() <= 1 {
            if let Some(&o) = ids.first() {
                self.option[node] = o;
                self.leaf[o as usize] = u32::try_from(node).unwrap_or(0);
            }
            return;
        }
        // Twins cannot be told apart by boxes but are still separate leaves.
        self.size[node] += 1;
        ids.sort_unstable_by_key(|&o| (options.amounts(o as usize)[split], o));
        let (first, second) = ids.split_at_mut(ids.len() / 2);
        let at = self.push();
        self.push();
        self.children[node] = u32::try_from(at).ok();
        self.grow(at, first, options, nutrition);
        self.grow(at + 1, second, options, nutrition);
    }

    /// The least value below each node where only these options are open.
    pub(crate) fn least(&self, open: &[u32], values: &[i64], out: &mut Least) {
        out.clear();
        out.resize(self.children.len(), CLOSED);
        for (&o, &v) in open.iter().zip(values) {
            out[self.leaf[o as usize] as usize] = v;
        }
        for node in (0..self.children.len()).rev() {
            if let Some(child) = self.children[node] {
                out[node] = out[child as usize].min(out[child as usize + 1]);
            }
        }
    }

    pub(crate) fn child(&self, node: usize) -> Option<usize> {
        self.children[node].map(|c| c as usize)
    }

    pub(crate) fn option(&self, node: usize) -> u32 {
        self.option[node]
    }

    pub(crate) fn size(&self, node: usize) -> i64 {
        self.size[node]
    }

    pub(crate) fn low(&self, node: usize) -> &[i32] {
        &self.low[node * self.width..(node + 1) * self.width]
    }

    pub(crate) fn high(&self, node: usize) -> &[i32] {
        &self.high[node * self.width..(node + 1) * self.width]
    }
}
