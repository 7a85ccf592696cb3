-- Who somebody is at a provider. Issuer and subject are compared byte by byte, and nothing else says who it is.
create table identities (
    issuer text not null,
    subject text not null,
    user_id uuid not null references users (id) on delete cascade,
    email text not null,
    created_at bigint not null,
    last_used_at bigint not null,
    primary key (issuer, subject)
);
create index identities_user on identities (user_id, created_at);

-- People who were sent to a provider and are not back yet. The id and the browser's secret are kept as hashes.
create table provider_flows (
    id text primary key not null,
    browser text not null,
    provider text not null,
    nonce text not null,
    verifier text not null,
    purpose text not null check (purpose in ('sign_in', 'link', 'confirm')),
    user_id uuid references users (id) on delete cascade,
    next text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index provider_flows_expiry on provider_flows (expires_at);
