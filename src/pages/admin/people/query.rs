/// The query parameters of the page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeopleQuery {
    /// The text to search for in names and addresses; empty for all people.
    pub search: String,
    /// The cursor of the page; `None` for the first one.
    pub after: Option<String>,
}
