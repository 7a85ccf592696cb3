//! Who may touch what.
