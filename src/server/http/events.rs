//! `GET /chats/{chat}/runs/{run}/events`: an answer while it is being written, as server-sent events.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CACHE_CONTROL},
    response::{
        IntoResponse, Response,
        sse::{Event as SseEvent, KeepAlive, Sse},
    },
    routing::get,
};
use futures::{StreamExt, stream};

use super::{
    policy::routes_for,
    refusal::{refuse, refuse_as, refuse_fault},
};
use crate::{
    domain::{AppError, ChatId, RunId, UserId, limits},
    server::{
        access::Access,
        auth::{Accounts, Caller},
        chat::{Event, EventId},
        state::AppState,
    },
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Time between two looks whether the reader is still signed in.
const RECHECK: Duration = Duration::from_secs(4);
/// Time between two signs of life on a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Milliseconds after which a browser comes back when its stream was cut.
const RETRY: Duration = Duration::from_millis(700);

/// The route.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let route = Router::new().route("/chats/{chat}/runs/{run}/events", get(events));
    routes_for(Access::Person, state, route.layer(Extension(StreamLimiter::default())))
}

async fn events(
    State(state): State<AppState>,
    Extension(limiter): Extension<StreamLimiter>,
    Path((chat, run)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(caller) = request.extensions().get::<Caller>().cloned() else { return refuse(AppError::Unauthenticated) };
    let (Ok(chat), Ok(run)) = (chat.parse::<ChatId>(), run.parse::<RunId>()) else { return refuse(AppError::NotFound) };
    let Some(permit) = limiter.acquire(caller.user.id) else {
        return refuse_as(StatusCode::TOO_MANY_REQUESTS, AppError::conflict(reason!("streams_too_many")));
    };
    let reader = match state.chats.read_run(caller.user.id, chat, run, last_event_id(request.headers())).await {
        Ok(reader) => reader,
        Err(fault) => return refuse_fault(fault, request.extensions()),
    };
    let signed_in = Box::pin(until_signed_out(state.accounts.clone(), caller));
    let events = reader.into_stream().take_until(signed_in).map(move |event| {
        // The permit is given back when the stream is dropped.
        let _ = &permit;
        Ok::<_, Infallible>(to_sse(event))
    });
    let begin = stream::once(async { Ok(SseEvent::default().retry(RETRY).comment("")) });
    let mut response = Sse::new(begin.chain(events)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// Names and ids are the server's own and the data is one line of JSON, so nothing in them can break the framing.
fn to_sse(event: Event) -> SseEvent {
    let sse = SseEvent::default().event(event.name).data(&*event.data);
    match event.id {
        Some(id) => sse.id(id.to_string()),
        None => sse,
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<EventId> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()?.parse().ok()
}

/// Ends when the caller's sign-in does.
async fn until_signed_out(accounts: Accounts, caller: Caller) {
    loop {
        tokio::time::sleep(RECHECK).await;
        // A database that does not answer for a moment says nothing about the sign-in.
        if let Ok(None) = accounts.caller_of(caller.sign_in).await {
            return;
        }
    }
}

/// Counts the open streams of each person.
#[derive(Debug, Clone, Default)]
struct StreamLimiter(Arc<Mutex<HashMap<UserId, usize>>>);

struct StreamPermit {
    limiter: StreamLimiter,
    user: UserId,
}

impl StreamLimiter {
    fn acquire(&self, user: UserId) -> Option<StreamPermit> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(user).or_default();
        if *count >= limits::STREAMS_PER_USER {
            return None;
        }
        *count += 1;
        Some(StreamPermit { limiter: self.clone(), user })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut counts = self.limiter.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}
