-- A chat's messages are a tree. A message follows its parent; the head of the chat is the last message of the path that is
-- shown. An answer that was asked for anew becomes a sibling of the new one.
--
-- `parent_id` and `head_id` are no foreign keys: messages are deleted in slices, in any order, and a chat of 5,000 messages
-- must not be deleted as one chain.
--
-- Words such as authors, states and kinds have no `check`, as on SQLite, which would have to write all messages again for each
-- new word. The program refuses words that it does not know.
alter table messages drop constraint messages_author_check;
alter table messages drop constraint messages_state_check;
alter table messages add column parent_id uuid;
-- How many messages come before it on its path.
alter table messages add column depth bigint;
update messages set parent_id = placed.parent_id, depth = placed.depth
    from (
        select m.id,
               (select p.id from messages p where p.chat_id = m.chat_id and p.position < m.position and not p.superseded
                order by p.position desc limit 1) as parent_id,
               coalesce(sum(case when m.superseded then 0 else 1 end) over
                   (partition by m.chat_id order by m.position rows between unbounded preceding and 1 preceding), 0) as depth
        from messages m
    ) placed
    where placed.id = messages.id;
alter table messages alter column depth set not null;

-- What a message consists of, in the order in which it is read.
create table message_parts (
    message_id uuid not null references messages (id) on delete cascade,
    position bigint not null,
    kind text not null,
    text text not null,
    primary key (message_id, position)
);
insert into message_parts (message_id, position, kind, text)
    select id, 0, 'reasoning', reasoning from messages where reasoning <> '';
insert into message_parts (message_id, position, kind, text)
    select id, 1, 'text', text from messages where text <> '';

alter table chats add column head_id uuid;
update chats set head_id = (select m.id from messages m where m.chat_id = chats.id and not m.superseded
                            order by m.position desc limit 1);
alter table chats drop column next_position;

drop index messages_window;
alter table messages drop column position;
alter table messages drop column superseded;
alter table messages drop column text;
alter table messages drop column reasoning;
create index messages_tree on messages (chat_id, depth, id);
