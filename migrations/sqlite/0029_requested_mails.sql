-- What is mailed on such a request: a link for a new password, or one that confirms the address.
alter table reset_requests add column purpose text not null default 'reset_password';
