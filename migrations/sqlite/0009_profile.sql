-- The language of a person's pages, as a tag such as `en-GB`: how dates and times are written.
alter table users add column language text not null default 'en-GB';
