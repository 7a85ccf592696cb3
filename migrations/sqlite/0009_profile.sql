-- How dates and times are written for a person: a tag such as en-GB, and the name of a time zone or nothing, for
-- whatever their browser says.
alter table users add column language text not null default 'en-GB';
alter table users add column time_zone text;

-- Pictures of people: 256 by 256, encoded anew. The version goes up with each change.
create table pictures (
    user_id blob primary key not null references users (id) on delete cascade,
    version integer not null,
    bytes blob not null
);
