//! Pieces of view: data in by props, intent out by callbacks.
