//! Colloquy: a private, self-hosted, multi-user AI chat in one program.
//!
//! # Where things are
//! One package, two builds: with `ssr` it is the server, with `hydrate` the browser's part. [`domain`] holds what both
//! share and does no I/O, [`i18n`] the texts of the interface in every language. [`components`] are pieces of view, [`pages`] one file per URL, by area, with `pages::shell` around
//! them and `pages::toolkit` for what several areas are made of, [`app`] the document and the routes.
//! [`server_fns`] are the browser's way to the services, which alone combine the drivers `server::store`, `server::llm` and
//! `server::config`. `server::http` is the other way in: routes and layers. The services:
//! - `server::auth`: accounts, passwords, second factors, identity providers, sign-ins and sessions;
//! - `server::people`: what administrators and the operator do with accounts; `server::profile`: name, picture, language;
//! - `server::privacy`: downloads of one's data, deletion of accounts, retention;
//! - `server::chat`: chats and the runs that write answers; `server::markdown` turns their text into HTML;
//! - `server::audit` records what was done, `server::limits` counts tries, `server::jobs` runs work in the background.
//!
//! # Who may import whom
//! Data goes one way: page, server function or route, service, store. A module imports from lower ranks only
//! (`tests/app/architecture.rs` holds it), and no files import from each other in a circle:
//! ```text
//! 0  i18n
//! 1  domain
//! 2  server::{allocator, clock, config, cookies, egress, keys, markdown, store, supervisor}   components
//! 3  server::{fault, llm, secrets, telemetry}
//! 4  server::{audit, jobs}
//! 5  server::{limits, mail}
//! 6  server::{auth, chat}
//! 7  server::profile
//! 8  server::privacy
//! 9  server::people
//! 10 server::{legal, state}
//! 11 server::access
//! 12 server_fns   server::http   server::cli     entry points: they never import each other
//! 13 pages
//! 14 app
//! ```
//!
//! # How a message becomes an answer
//! 1. `send_message` (`server_fns/messages.rs`) checks its access policy and calls `Chats::send` (`chat/send.rs`), which writes
//!    the message, the empty answer and a queued run in one transaction. Only then is the message acknowledged. The sender's
//!    own id makes a repeat harmless.
//! 2. A worker claims the run (`chat/writer.rs`; its epoch grows, its lease is 20 s), makes the prompt of named sections and
//!    the path of messages (`chat/prompt.rs`), and asks the model (`chat/run.rs`, `llm/`). What comes goes through the stages of
//!    `chat/pipeline.rs` into the live run (`chat/live.rs`), which `chat/hub.rs` knows. Every 400 ms everything that this
//!    process has written, and what it has cost, goes to the database in one transaction, under the epochs.
//! 3. Readers of `/chats/{chat}/runs/{run}/events` (`http/events.rs`, `chat/reader.rs`) get a snapshot, then numbered steps:
//!    from the hub where the run is in this process, else from the database. They may come and go; they own nothing.
//! 4. One finisher wins. A worker that dies leaves a lease that runs out; `chat/sweep.rs` marks the answer as interrupted.
//!
//! # How somebody signs in by a provider
//! 1. The form goes to `POST /auth/{provider}/start` (`http/identities.rs`). `Identities::begin` (`auth/oidc/mod.rs`) asks the
//!    provider about itself (`metadata.rs`, by `server::egress`), writes a flow that works once, for the browser that began it
//!    and for ten minutes, and sends the browser on.
//! 2. It comes back to `GET /auth/{provider}/callback`. `Identities::finish` uses the flow up before anything else, gets the
//!    token for the code (`provider.rs`) and checks it (`jwt.rs`, `token.rs`).
//! 3. The claims name an identity, `(issuer, subject)`. Its account is signed in (`identity.rs`), or made where one may be;
//!    an address alone never leads to an account.
//! 4. `Accounts::enter` writes the sign-in, or asks for the second factor first (`auth/factors/sign_in.rs`).
//!
//! # How a job runs
//! Work that must outlive a restart is a job: a row that is written in the transaction of the act that wants it
//! (`Tx::enqueue`, `store/jobs.rs`).
//! 1. The commit wakes the runner of this process (`server/jobs/runner.rs`); others look every 2 s. One claims the job: its
//!    lease holds for 60 s, and is renewed while the job runs.
//! 2. The handler of its kind runs it: `mail/outbox.rs`, `privacy/{export/work,purge,retention,expiry}.rs`,
//!    `people/removal.rs`, `chat/cleanup.rs`. It finishes the job in the transaction of the last thing that it does.
//! 3. A job that is done is gone. One that fails waits for its next attempt, or has failed for good; administrators see
//!    both on `/jobs`. A schedule waits for its next time. A process that stops gives its jobs back; one that dies leaves
//!    leases that run out.
//!
//! # How a mail leaves
//! Whoever does what a mail tells of writes the mail in the transaction of the act, so there is neither without the
//! other; a job sends it. Links in mails carry a token of which only the hash is kept; using one up is one statement, which
//! one of many can win.
//!
//! # What goes out
//! Every request over HTTP goes out through `server::egress`; nothing else makes a client (`clippy.toml` holds it). A request
//! says who named its address. One of the configuration may lead anywhere. One that was named elsewhere leads to the same
//! host, to the public internet or into a network that the operator allows, and that is decided on the very address that is
//! connected to. Tries are repeated only where that does no harm, and a host that does not answer is left alone for a while.
//!
//! # How people are looked after
//! What administrators and the operator's commands do with accounts goes through `server::people`, one change after
//! another under one lock, so that the last administrator stays. A role or an account that changes ends its sign-ins, and
//! with them the open streams. Lost second factors go after a notice that their owner can refuse.
//!
//! # How it is known who asks
//! The cookie holds a random id; its keyed hash names a session record, and the record a sign-in with a serial. The row
//! of the sign-in decides: whether it has ended, and which serial counts. Records are in the database, with copies in Redis
//! where there is one (`auth::session_cache`): a copy that is left behind is nobody's, and without Redis nothing stops.
//! Each account has a version of its credentials, which every act raises that ends other sign-ins; a sign-in is written, and
//! holds, only under the version that was in force before its verification began (`store::CredentialsVersion`). Reading waits
//! for no write: what it leaves to be written lies in memory for some seconds (`auth::deferred`).
//!
//! # How isolation holds
//! Every endpoint has an access policy, `server::access::Access`, beside it: it says who may call, and is checked before
//! any service is called. Rows of a person are reached through `Tx::owned_by`, whose statements all name the owner. A
//! stranger's id and an unknown id are answered alike. `tests/app/isolation.rs` has a row for every endpoint, and holds it
//! against the policy. An argument that a function does not take is refused before it is called.
//!
//! # What goes on in the background
//! Every task that lives as long as the process belongs to `server::supervisor`: one that panics is started again, and
//! `/health/ready` names a vital one that is down. What they do with many rows they do in slices (`Store::in_slices`):
//! transactions that each hold SQLite's one writer for a moment, so that nobody who chats waits for them.
//!
//! # How secrets are kept
//! What the server must read again (authenticator apps' secrets) is sealed by `server::secrets` under keys that lie outside
//! of the database, each value in its own context. `store::SEALED_COLUMNS` lists every sealed column, so that a change of keys
//! reaches them all; a check of each key stops the start where one is lost or wrong. Whoever has a second factor is not signed
//! in by the password: `Accounts::enter` writes a pending sign-in, which lets nobody do anything but finish it.

// Views are types, and the types of whole pages are nested deeply, most of all in optimized builds.
#![recursion_limit = "512"]

// Before all others: its macros are in scope in what follows.
#[macro_use]
pub mod i18n;

pub mod app;
pub mod components;
pub mod domain;
pub mod pages;
pub mod server_fns;

#[cfg(feature = "ssr")]
pub mod server;

/// Takes over the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        let Some(body) = leptos::prelude::document().body() else { return };
        // Without its texts the page stays as the server made it, and works without scripts.
        if i18n::load(i18n::Bundle::COMMON).await.is_err() {
            return;
        }
        // Waits for the bundle that the page's code lies in.
        leptos::mount::hydrate_from_async(body, app::App).await.forget();
        // Tells tests and measurements that the scripts have taken over. Suspended parts follow in the same task.
        leptos::prelude::request_animation_frame(|| {
            if let Some(html) = leptos::prelude::document().document_element() {
                // A plain attribute of a plain element can always be set.
                let _ = html.set_attribute("data-hydrated", "");
            }
        });
        pages::bundles::load_the_rest();
    });
}
