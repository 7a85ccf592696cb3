create table chats (
    id uuid primary key not null,
    owner_id uuid not null references users (id) on delete cascade,
    title text not null,
    -- The title in lower case, for searching alike on both databases.
    title_key text not null,
    model text not null,
    last_words text not null,
    created_at bigint not null,
    active_at bigint not null,
    next_position bigint not null,
    pinned boolean not null,
    archived boolean not null,
    deleted_at bigint
);
create index chats_list on chats (owner_id, archived, pinned, active_at, id) where deleted_at is null;
create index chats_deleted on chats (deleted_at) where deleted_at is not null;

create table messages (
    id uuid primary key not null,
    chat_id uuid not null references chats (id) on delete cascade,
    owner_id uuid not null references users (id) on delete cascade,
    position bigint not null,
    author text not null check (author in ('user', 'assistant')),
    state text not null check (state in ('complete', 'open', 'stopped', 'interrupted', 'failed')),
    text text not null,
    reasoning text not null,
    model text,
    model_label text,
    failure text,
    left_out bigint not null,
    prompt_tokens bigint not null,
    answer_tokens bigint not null,
    client_id uuid,
    -- An answer that was asked for anew; kept, but no longer part of the conversation.
    superseded boolean not null,
    created_at bigint not null,
    unique (chat_id, position),
    unique (owner_id, client_id)
);
create index messages_window on messages (chat_id, position) where not superseded;

create table runs (
    id uuid primary key not null,
    chat_id uuid not null references chats (id) on delete cascade,
    message_id uuid not null references messages (id) on delete cascade,
    owner_id uuid not null references users (id) on delete cascade,
    state text not null check (state in ('queued', 'running', 'ended')),
    epoch bigint not null,
    worker uuid,
    lease_until bigint,
    stop_requested boolean not null,
    continues boolean not null,
    model text not null,
    created_at bigint not null,
    ended_at bigint
);
create index runs_message on runs (message_id);
create index runs_state on runs (state, lease_until) where state <> 'ended';
-- One open run in a chat at a time.
create unique index runs_open on runs (chat_id) where state <> 'ended';
