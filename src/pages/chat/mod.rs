//! `/` and `/chats/{id}`

mod data;
mod deleted;
mod greeting;
mod live;
mod live_parts;
mod menu;
mod messages;
mod new_chat;
mod page;
mod run_stream;
mod send;
mod starters;
mod state;
mod view;

pub use new_chat::NewChatPage;
pub use page::ChatPage;
