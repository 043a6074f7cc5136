//! Places of which a worker has so many for something that costs it more than an idle connection does.

use std::cell::Cell;
use std::rc::Rc;

/// The places for one thing.
#[derive(Debug)]
pub(crate) struct Places {
    taken: Cell<usize>,
    max: usize,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Rc<Places>);

impl Places {
    pub(crate) fn new(max: usize) -> Rc<Self> {
        Rc::new(Self {
            taken: Cell::new(0),
            max,
        })
    }

    /// A place; `None` if all are taken.
    pub(crate) fn enter(self: &Rc<Self>) -> Option<Place> {
        (self.taken.get() < self.max).then(|| {
            self.taken.set(self.taken.get() + 1);
            Place(Rc::clone(self))
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.set(self.0.taken.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_no_more() {
        let places = Places::new(3);
        let mut taken: Vec<_> = (0..3).map_while(|_| places.enter()).collect();
        assert_eq!(taken.len(), 3);
        assert!(places.enter().is_none());
        taken.pop();
        assert!(places.enter().is_some(), "one has left");
    }
}
