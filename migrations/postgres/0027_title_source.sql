-- Who wrote the title of a chat. The model that has answered replaces only an automatic one, the first words of the
-- question. Titles that exist already stay as they are.
alter table chats add column title_source text not null default 'person'
    check (title_source in ('automatic', 'model', 'person'));
