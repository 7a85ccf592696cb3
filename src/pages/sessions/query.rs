use leptos_router::location::Url;
use serde::{Deserialize, Serialize};

use crate::domain::ChatFilter;

/// Which part of the list is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionsQuery {
    /// Which chats.
    pub filter: ChatFilter,
    /// What their titles contain.
    pub search: String,
    /// Where the page begins.
    pub cursor: Option<String>,
}

impl SessionsQuery {
    /// The address of this part.
    pub fn href(&self) -> String {
        let mut pairs = Vec::new();
        match self.filter {
            ChatFilter::All => {}
            ChatFilter::Pinned => pairs.push("filter=pinned".to_owned()),
            ChatFilter::Archived => pairs.push("filter=archived".to_owned()),
        }
        if !self.search.is_empty() {
            pairs.push(format!("q={}", Url::escape(&self.search)));
        }
        pairs.extend(self.cursor.as_ref().map(|cursor| format!("cursor={cursor}")));
        if pairs.is_empty() { "/sessions".to_owned() } else { format!("/sessions?{}", pairs.join("&")) }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_list_has_an_address() {
        assert_eq!(SessionsQuery::default().href(), "/sessions");
        let shown = SessionsQuery { filter: ChatFilter::Pinned, search: "a b&c".into(), cursor: Some("0.1.x".into()) };
        assert_eq!(shown.href(), "/sessions?filter=pinned&q=a%20b%26c&cursor=0.1.x");
    }
}
