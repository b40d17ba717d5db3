//! Both sides against each other, and against every kind of wrong.
