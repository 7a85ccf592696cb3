-- A chat's messages are a tree. A message follows its parent; the head of the chat is the last message of the path that is
-- shown. An answer that was asked for anew becomes a sibling of the new one.
--
-- `parent_id` and `head_id` are no foreign keys: messages are deleted in slices, in any order, and a chat of 5,000 messages
-- must not be deleted as one chain.
--
-- Words such as authors, states and kinds have no `check`: SQLite would have to write all messages again for each new word. The
-- program refuses words that it does not know.
create table new_messages (
    id blob primary key not null,
    chat_id blob not null references chats (id) on delete cascade,
    owner_id blob not null references users (id) on delete cascade,
    parent_id blob,
    -- How many messages come before it on its path.
    depth integer not null,
    author text not null,
    state text not null,
    model text,
    model_label text,
    failure text,
    left_out integer not null,
    prompt_tokens integer not null,
    answer_tokens integer not null,
    client_id blob,
    created_at integer not null,
    unique (owner_id, client_id)
);
insert into new_messages (id, chat_id, owner_id, parent_id, depth, author, state, model, model_label, failure, left_out,
                          prompt_tokens, answer_tokens, client_id, created_at)
    select m.id, m.chat_id, m.owner_id,
           (select p.id from messages p where p.chat_id = m.chat_id and p.position < m.position and not p.superseded
            order by p.position desc limit 1),
           coalesce(sum(case when m.superseded then 0 else 1 end) over
               (partition by m.chat_id order by m.position rows between unbounded preceding and 1 preceding), 0),
           m.author, m.state, m.model, m.model_label, m.failure, m.left_out, m.prompt_tokens, m.answer_tokens, m.client_id,
           m.created_at
    from messages m;

-- What a message consists of, in the order in which it is read.
create table message_parts (
    message_id blob not null references new_messages (id) on delete cascade,
    position integer not null,
    kind text not null,
    text text not null,
    primary key (message_id, position)
);
insert into message_parts (message_id, position, kind, text)
    select id, 0, 'reasoning', reasoning from messages where reasoning <> '';
insert into message_parts (message_id, position, kind, text)
    select id, 1, 'text', text from messages where text <> '';

alter table chats add column head_id blob;
update chats set head_id = (select m.id from messages m where m.chat_id = chats.id and not m.superseded
                            order by m.position desc limit 1);
alter table chats drop column next_position;

-- Runs name their message, so they move along.
create table new_runs (
    id blob primary key not null,
    chat_id blob not null references chats (id) on delete cascade,
    message_id blob not null references new_messages (id) on delete cascade,
    owner_id blob not null references users (id) on delete cascade,
    state text not null check (state in ('queued', 'running', 'ended')),
    epoch integer not null,
    worker blob,
    lease_until integer,
    stop_requested boolean not null,
    continues boolean not null,
    model text not null,
    created_at integer not null,
    ended_at integer
);
insert into new_runs (id, chat_id, message_id, owner_id, state, epoch, worker, lease_until, stop_requested, continues, model,
                      created_at, ended_at)
    select id, chat_id, message_id, owner_id, state, epoch, worker, lease_until, stop_requested, continues, model, created_at,
           ended_at
    from runs;
drop table runs;
drop table messages;
alter table new_messages rename to messages;
alter table new_runs rename to runs;

create index messages_tree on messages (chat_id, depth, id);
create index runs_message on runs (message_id);
create index runs_state on runs (state, lease_until) where state <> 'ended';
-- One open run in a chat at a time.
create unique index runs_open on runs (chat_id) where state <> 'ended';
create index runs_owner on runs (owner_id);
create index runs_chat on runs (chat_id);
-- How many runs of a person are open or being executed.
create index runs_open_owner on runs (owner_id, state) where state <> 'ended';
