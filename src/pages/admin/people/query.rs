/// What is asked for in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeopleQuery {
    /// What names or addresses contain.
    pub search: String,
    /// Where the page begins.
    pub after: Option<String>,
}
