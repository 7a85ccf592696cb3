//! One file per URL.
