//! Sorting, in one copy.
//!
//! The standard library's sort is compiled anew for every type and every order: a few kilobytes each time, dozens of
//! times in the component, whose size is limited (`xtask/src/component.rs`). Here one copy sorts indexes, and each caller
//! adds no more than the comparison and the swaps. Collecting into a `BTreeMap` or a `BTreeSet` sorts too: [`set`] and
//! [`map`] insert instead.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Sorts, as [`slice::sort_by`] does: what is equal stays in its order.
pub(crate) fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut order = order(items.len(), &mut |a, b| compare(&items[a], &items[b]));
    // Cycle by cycle: what belongs to `at` lies at `order[at]`, until the cycle is back at its start.
    for start in 0..items.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at], at);
            if from == start {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
}

/// The indexes below `len` in this order.
fn order(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

/// The set of these.
pub(crate) fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

/// The map of these. Of equal keys the last one counts.
pub(crate) fn map<K: Ord, V>(items: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(items);
    map
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(keys in prop::collection::vec(0u8..20, 0..200)) {
            // With their places, so that an order of equal ones would show.
            let mut items: Vec<(u8, usize)> = keys.iter().copied().zip(0..).collect();
            let mut want = items.clone();
            want.sort_by_key(|(key, _)| *key);
            sort_by(&mut items, |(a, _), (b, _)| a.cmp(b));
            prop_assert_eq!(&items, &want);
            prop_assert_eq!(set(keys.iter().copied()), keys.iter().copied().collect());
            let pairs = || keys.iter().copied().zip(0..);
            prop_assert_eq!(map(pairs()), pairs().collect());
        }
    }
}
