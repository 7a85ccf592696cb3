-- Whether the last answer of a chat ended while nobody was reading it, and the chat was not opened since.
alter table chats add column unread boolean not null default false;
