//! The HTML shell and the route table; nothing else.
