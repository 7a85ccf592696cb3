use leptos_router::location::Url;
use serde::{Deserialize, Serialize};

use crate::domain::ChatFilter;

/// The query parameters of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionsQuery {
    /// Which chats: all, pinned or archived.
    pub filter: ChatFilter,
    /// The text to search for in titles; empty for all chats.
    pub search: String,
    /// The cursor of the page; `None` for the first one.
    pub cursor: Option<String>,
}

impl SessionsQuery {
    /// The URL of the list with this query.
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
    fn a_list_query_has_a_url() {
        assert_eq!(SessionsQuery::default().href(), "/sessions");
        let list_query =
            SessionsQuery { filter: ChatFilter::Pinned, search: "a b&c".into(), cursor: Some("0.1.x".into()) };
        assert_eq!(list_query.href(), "/sessions?filter=pinned&q=a%20b%26c&cursor=0.1.x");
    }
}
