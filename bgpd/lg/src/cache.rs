//! Replies that are kept for a while. Requests for the same thing at the same time wait for one answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::Mutex as AsyncMutex;

use crate::endpoint::Endpoint;
use crate::payload::Payload;

/// A reply and when it was made.
#[derive(Clone, Debug)]
pub struct Kept {
    pub payload: Arc<Payload>,
    pub at: DateTime<Utc>,
    made: Instant,
}

type Slot = Arc<AsyncMutex<Option<Kept>>>;

#[derive(Debug)]
struct Place {
    slot: Slot,
    /// Octets of what it holds, and when that was made.
    size: usize,
    made: Instant,
}

/// Replies by what they are about.
#[derive(Debug)]
pub struct Cache {
    places: Mutex<HashMap<Endpoint, Place>>,
    ttl: Duration,
    /// Octets kept in all.
    limit: usize,
}

/// Replies kept in all.
const MOST: usize = 4096;
/// A reply this young does for one who asks for a fresh one, so that nobody can have bgpd asked without end.
const FRESH: Duration = Duration::from_secs(1);

impl Cache {
    pub fn new(ttl: Duration, limit: usize) -> Self {
        Self { places: Mutex::default(), ttl, limit }
    }

    pub const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// The reply that is kept, and whether it was there; or a new one, made by `make`. What fails is not kept.
    pub async fn get<E, F: Future<Output = Result<Payload, E>>>(
        &self,
        endpoint: &Endpoint,
        uncached: bool,
        now: DateTime<Utc>,
        make: impl FnOnce() -> F,
    ) -> Result<(Kept, bool), E> {
        let slot = self.slot(endpoint);
        let mut held = slot.lock().await;
        let oldest = if uncached { self.ttl.min(FRESH) } else { self.ttl };
        if let Some(kept) = held.as_ref().filter(|kept| kept.made.elapsed() < oldest) {
            return Ok((kept.clone(), true));
        }
        let payload = Arc::new(make().await?);
        let kept = Kept { payload, at: now, made: Instant::now() };
        *held = Some(kept.clone());
        drop(held);
        self.settle(endpoint, kept.payload.len());
        Ok((kept, false))
    }

    fn slot(&self, endpoint: &Endpoint) -> Slot {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if !places.contains_key(endpoint) && places.len() >= MOST {
            places.retain(|_, place| place.made.elapsed() < self.ttl && Arc::strong_count(&place.slot) > 1);
        }
        let new = || Place { slot: Slot::default(), size: 0, made: Instant::now() };
        places.entry(endpoint.clone()).or_insert_with(new).slot.clone()
    }

    /// Notes the size of a new reply, and forgets the oldest of those beyond the limit and all that are too old.
    fn settle(&self, endpoint: &Endpoint, size: usize) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(endpoint) {
            (place.size, place.made) = (size, Instant::now());
        }
        places.retain(|_, place| place.made.elapsed() < self.ttl);
        let mut sum: usize = places.values().map(|place| place.size).sum();
        while sum > self.limit {
            let oldest = places.iter().min_by_key(|(_, place)| place.made).map(|(key, _)| key.clone());
            let Some(place) = oldest.and_then(|key| places.remove(&key)) else { return };
            sum -= place.size;
        }
    }

    /// Octets kept.
    pub fn size(&self) -> usize {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.values().map(|place| place.size).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::Write;

    use super::*;
    use crate::endpoint::Table;

    fn payload(octets: usize) -> Payload {
        let mut payload = Payload::new(1 << 20);
        payload.write_all(&vec![b'x'; octets]).unwrap();
        payload.finish()
    }

    async fn get(cache: &Cache, endpoint: &Endpoint, octets: usize) -> bool {
        let made = cache.get(endpoint, false, Utc::now(), || async { Ok::<_, Infallible>(payload(octets)) });
        made.await.is_ok_and(|(_, hit)| hit)
    }

    #[tokio::test]
    async fn the_same_question_is_answered_once() {
        let cache = Cache::new(Duration::from_hours(1), 1 << 20);
        assert!(!get(&cache, &Endpoint::Status, 10).await);
        assert!(get(&cache, &Endpoint::Status, 10).await);
        assert!(!get(&cache, &Endpoint::Protocols, 10).await);
    }

    #[tokio::test]
    async fn the_oldest_go_when_there_is_too_much() {
        let cache = Cache::new(Duration::from_hours(1), 100);
        get(&cache, &Endpoint::Table(Table::V4), 80).await;
        get(&cache, &Endpoint::Table(Table::V6), 80).await;
        assert_eq!(cache.size(), 80);
        assert!(!get(&cache, &Endpoint::Table(Table::V4), 200).await);
        assert_eq!(cache.size(), 0);
    }

    #[tokio::test]
    async fn what_fails_is_asked_again() {
        let cache = Cache::new(Duration::from_hours(1), 100);
        let failed = cache.get(&Endpoint::Status, false, Utc::now(), || async { Err::<Payload, _>("no") });
        assert_eq!(failed.await.map(drop), Err("no"));
        assert!(!get(&cache, &Endpoint::Status, 10).await);
    }
}
