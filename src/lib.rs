//! Colloquy: a self-hosted, multi-user AI chat in one program.
//!
//! This text is the architecture of the source code. `docs/glossary.md` explains the terms.
//!
//! # Modules
//! There is one package with two builds: the feature `ssr` builds the server, `hydrate` the part for the browser.
//! - [`domain`] contains the types that both share. It does no I/O.
//! - [`i18n`] contains the texts of the interface in all languages.
//! - [`components`] are views. [`pages`] contains one file per URL, grouped by area; `pages::shell` surrounds all pages
//!   of signed-in people, and `pages::toolkit` is what several areas share. [`app`] is the HTML document and the
//!   routes.
//! - [`server_fns`] are the functions that the browser calls. `server::http` contains all other routes, and the layers.
//! - The drivers are `server::store` (the databases), `server::llm` (the models) and `server::config`.
//!
//! Only the services use the drivers:
//! - `server::auth`: accounts, passwords, second factors, identity providers, sign-ins and sessions;
//! - `server::people`: what administrators and the operator do with accounts;
//! - `server::profile`: name, picture, language and time zone;
//! - `server::privacy`: data downloads, account deletion, retention;
//! - `server::chat`: chats, and the runs that write answers; `server::markdown` renders their text as HTML;
//! - `server::page_data`: the data of a page that shows what several services know, read with one connection;
//! - `server::audit`: audit events; `server::limits`: rate limits; `server::jobs`: background jobs.
//!
//! # Dependencies
//! Calls go in one direction: page, server function or route, service, store. A module imports only from lower ranks,
//! and no files import each other in a circle. `tests/app/architecture.rs` checks both.
//! ```text
//! 0  i18n
//! 1  domain
//! 2  server::{allocator, clock, config, cookies, egress, keys, markdown, names, site, store, supervisor}   components
//! 3  server::{fault, llm, secrets, telemetry}
//! 4  server::{audit, jobs}
//! 5  server::{limits, mail}
//! 6  server::{auth, chat}
//! 7  server::profile
//! 8  server::privacy
//! 9  server::{page_data, people}
//! 10 server::{legal, state}
//! 11 server::access
//! 12 server_fns   server::http   server::cli     entry points: they never import each other
//! 13 pages
//! 14 app
//! ```
//!
//! # Walkthrough: a message becomes an answer
//! 1. The browser (`pages/chat/send.rs`) calls `send_message` (`server_fns/messages.rs`). It checks its access policy
//!    and calls `Chats::send` (`server/chat/send.rs`). That writes the message, an empty answer and a queued run in one
//!    transaction (`server/store/messages.rs`, `runs.rs`). On SQLite, sends that wait at the same time share a commit
//!    (`server/store/group.rs`). Only then is the message acknowledged. The browser chose an id for the message, so
//!    sending it again is harmless.
//! 2. A worker claims the run through `server/chat/writer.rs`, under a lease of 20 s. Each claim raises the epoch of
//!    the run. `server/chat/run.rs` executes it: `prompt.rs` builds the prompt from named sections and the messages on
//!    the path, and a model of `server/llm` answers with a stream of deltas.
//! 3. The deltas pass the stages of `server/chat/pipeline.rs` into the live run (`live.rs`), which is registered in
//!    `hub.rs`. Every 400 ms, `writer.rs` writes the progress of all runs of this process, and the tokens they used, in
//!    one transaction. A statement with an old epoch changes nothing.
//! 4. Browsers read `/chats/{chat}/runs/{run}/events` (`server/http/events.rs`, `server/chat/reader.rs`;
//!    `pages/chat/run_stream.rs`). They get a snapshot, then numbered updates: from the hub if the run is in this
//!    process, otherwise from the database. Readers can come and go; the run does not depend on them.
//! 5. Exactly one writer finishes the run. If a worker dies, its lease expires, and `server/chat/sweep.rs` marks the
//!    answer as interrupted. The transaction that ends the first answer of a chat enqueues the job that has the model
//!    write a title (`server/chat/titles.rs`), and marks the chat as unread if nobody is reading it.
//!
//! # Walkthrough: someone signs in through a provider
//! 1. The form posts to `/auth/{provider}/start` (`server/http/identities.rs`). `Identities::begin_flow`
//!    (`server/auth/oidc/mod.rs`) gets the provider's metadata (`metadata.rs`, through `server::egress`), stores a
//!    flow, and redirects the browser. A flow works once, in the browser that started it, for ten minutes.
//! 2. The browser returns to `/auth/{provider}/callback`. `Identities::finish_flow` first consumes the flow. Then it
//!    exchanges the code for a token (`provider.rs`) and validates the token (`jwt.rs`, `token.rs`).
//! 3. The claims name an identity: issuer and subject. `identity.rs` finds its account, or creates one if sign-up
//!    allows it. An email address alone never leads to an account.
//! 4. `Accounts::complete_first_factor` (`server/auth/factors/sign_in.rs`) creates the sign-in, or a pending sign-in if
//!    the person has a second factor. `server/auth/sign_in_attempt.rs` checks in the same transaction that the
//!    credentials are still in force. The route applies the `SessionChange` that it returns
//!    (`server/auth/session_state.rs`) to the session of the browser.
//!
//! # Walkthrough: a job runs
//! Work that must survive a restart is a job: a row that is written in the transaction of the action that needs it.
//! 1. `Tx::enqueue` (`server/store/jobs.rs`) writes the row. The commit wakes the runner of this process
//!    (`server/jobs/runner.rs`); the runners of other processes look every 2 s. One of them claims the job under a
//!    lease of 60 s, which it renews while the job runs.
//! 2. The handler of its kind does the work: `server/mail/outbox.rs`,
//!    `server/privacy/{export/job,purge,retention,expiry}.rs`, `server/people/factor_removal.rs` or
//!    `server/chat/cleanup.rs`. It finishes the job (`server/jobs/run.rs`) in the transaction of its last step.
//! 3. A finished job is deleted. A failed job waits for its next attempt, or has failed permanently; administrators see
//!    both at `/jobs`. A schedule waits for its next time. A process that stops hands its jobs back; the leases of one
//!    that dies expire.
//!
//! # Email
//! An action that sends an email writes it in its own transaction, so there is never one without the other. A job sends
//! it. Links in emails carry a token of which only the hash is stored. One statement consumes a token, so only one of
//! several concurrent requests can use it.
//!
//! # Outgoing requests
//! All HTTP requests go through `server::egress`; `clippy.toml` forbids other clients. A request states who supplied
//! its address. An address from the configuration can lead anywhere. Any other can lead only to the same host, to the
//! public internet, or into a network that the operator allows. This is decided on the address that is actually
//! connected to. Requests are retried only if that is harmless. Each host has a circuit breaker.
//!
//! # Administration
//! Changes that administrators and the operator's commands make to accounts go through `server::people`, one after
//! another under one lock, so that the last administrator cannot be removed. Changing the role or disabling an account
//! ends its sign-ins, and with them its open streams. Lost second factors are removed after a waiting time in which
//! their owner can object.
//!
//! # Sessions
//! The cookie contains a random id. Its keyed hash identifies a session record, and the record names a sign-in with a
//! serial. The row of the sign-in decides: whether it has ended, and which serial is current. Session records are in
//! the database. Redis, if configured, caches them (`server/auth/session_cache.rs`): an outdated copy is rejected by
//! its serial, and everything works without Redis.
//!
//! Services do not know the session. Entry points read a `SessionState` from it, and apply the `SessionChange` that a
//! service returns. At every sign-in and re-authentication the session gets a new id.
//!
//! Each account has a credentials version (`server/store/credentials.rs`). Every action that ends other sign-ins raises
//! it. A sign-in is created only under the version that was in force before its verification began.
//!
//! Reading never waits for a write. What it has to record stays in memory for some seconds (`server/auth/deferred.rs`).
//!
//! # Authorization
//! Every endpoint has an access policy, `server::access::Access`, next to it. It says who can call the endpoint, and is
//! checked before any service is called. `tests/app/isolation.rs` has a row for every endpoint and compares it with the
//! policy. A request with an unknown argument is refused before the function is called.
//!
//! Another person's id and an unknown id get the same response, because the statements cannot find the rows of other
//! people. A transaction (`store::Tx`) has three views:
//! - `Tx::owned_by` accesses the rows of one person. All its statements name the owner.
//! - `Tx::admin` is for `server::people` and a few other modules that change accounts. It does not access what people
//!   write.
//! - `Tx::engine` is for the work of the program itself: runs, jobs, mails, retention, purges.
//!
//! What remains on `Tx` is needed before it is known who calls, or is written by every action.
//! `tests/app/architecture/store_views.rs` reads the statements, and lists who may use the last two views.
//!
//! # Background tasks
//! Every task that lives as long as the process belongs to `server::supervisor`. A task that panics is restarted, and
//! `/health/ready` names a vital task that is down. Work on many rows runs in batches (`Store::run_in_batches`): short
//! transactions that each hold SQLite's only writer for a moment, so that nobody who chats has to wait.
//!
//! # Secrets
//! Secrets that the server must be able to read, such as those of authenticator apps, are encrypted by
//! `server::secrets`. The keys are outside the database. Each value is bound to its context. `store::SEALED_COLUMNS`
//! lists every encrypted column, so that a key rotation includes them all. At the start, every key is checked; if one
//! is missing or wrong, the start fails.

// Views are types, and the type of a whole page is nested deeply, especially in optimized builds.
#![recursion_limit = "512"]

// Must be first, so that the other modules can use its macros.
#[macro_use]
pub mod i18n;

pub mod app;
pub mod components;
pub mod domain;
pub mod pages;
pub mod server_fns;

#[cfg(feature = "ssr")]
pub mod server;

/// Hydrates the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        let Some(body) = leptos::prelude::document().body() else { return };
        // If the texts cannot be loaded, the page stays as the server rendered it, and works without scripts.
        if i18n::load(i18n::Bundle::COMMON).await.is_err() {
            return;
        }
        // Waits for the bundle that contains the page.
        leptos::mount::hydrate_from_async(body, app::App).await.forget();
        // Tells tests and benchmarks that the page is hydrated. Suspended parts follow in the same task.
        leptos::prelude::request_animation_frame(|| {
            if let Some(html) = leptos::prelude::document().document_element() {
                // Setting a plain attribute cannot fail.
                let _ = html.set_attribute("data-hydrated", "");
            }
        });
    });
}
