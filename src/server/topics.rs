//! Topics: which clients have subscribed to what, so that a message reaches those and costs nothing for the others.

use super::client::Handshaking;
use super::{Server, Slot};
use crate::codes::{WS_OPT_MAX_SERVER_TOPICS, WS_OPT_MAX_TOPICS};
use crate::error::Error;
use crate::names::{MAX_SERVER_TOPICS, MAX_TOPICS};
use crate::status::ErrorCode;
use std::collections::HashMap;

/// Maximum length of a topic's name in bytes.
const MAX_NAME: usize = 255;

/// The topics that have subscribers, and their subscribers. All is proportional to the number of subscriptions.
#[derive(Default)]
pub(super) struct Topics {
    /// Which topic has a name: its index in `topics`.
    indexes: HashMap<Box<str>, u32>,
    topics: Vec<Topic>,
    /// Indexes of unused topics.
    free: Vec<u32>,
    /// The topics of each client that has any, by its key.
    of_client: HashMap<u32, Vec<u32>>,
    /// The place of a client among the subscribers of a topic: by topic and key.
    places: HashMap<(u32, u32), u32>,
}

/// A topic. One without subscribers is unused.
#[derive(Default)]
struct Topic {
    name: Box<str>,
    /// Keys of its clients.
    subscribers: Vec<u32>,
}

impl Topics {
    /// Number of topics with subscribers, and of subscriptions.
    pub(super) fn counts(&self) -> [u64; 2] {
        [self.indexes.len() as u64, self.places.len() as u64]
    }

    fn subscribers(&self, name: &str) -> &[u32] {
        self.indexes.get(name).map_or(&[], |index| &self.topics[*index as usize].subscribers)
    }

    fn of_client(&self, key: u32) -> &[u32] {
        self.of_client.get(&key).map_or(&[], Vec::as_slice)
    }

    fn is_subscribed(&self, key: u32, name: &str) -> bool {
        self.indexes.get(name).is_some_and(|index| self.places.contains_key(&(*index, key)))
    }

    /// Adds a subscription that does not exist.
    fn join(&mut self, key: u32, name: &str) {
        let index = match self.indexes.get(name) {
            Some(index) => *index,
            None => {
                let index = self.free.pop().unwrap_or_else(|| {
                    self.topics.push(Topic::default());
                    self.topics.len() as u32 - 1
                });
                self.topics[index as usize].name = name.into();
                self.indexes.insert(name.into(), index);
                index
            }
        };
        let subscribers = &mut self.topics[index as usize].subscribers;
        self.places.insert((index, key), subscribers.len() as u32);
        subscribers.push(key);
        self.of_client.entry(key).or_default().push(index);
    }

    fn leave(&mut self, key: u32, name: &str) {
        let Some(index) = self.indexes.get(name).copied() else { return };
        if let Some(topics) = self.of_client.get_mut(&key)
            && let Some(place) = topics.iter().position(|of| *of == index)
        {
            topics.swap_remove(place);
            if topics.is_empty() {
                self.of_client.remove(&key);
            }
            self.drop_subscriber(index, key);
        }
    }

    /// A client leaves all its topics.
    pub(super) fn leave_all(&mut self, key: u32) {
        if self.places.is_empty() {
            return;
        }
        for index in self.of_client.remove(&key).unwrap_or_default() {
            self.drop_subscriber(index, key);
        }
        if self.places.is_empty() {
            *self = Topics::default();
        }
    }

    fn drop_subscriber(&mut self, index: u32, key: u32) {
        let Some(place) = self.places.remove(&(index, key)) else { return };
        let topic = &mut self.topics[index as usize];
        topic.subscribers.swap_remove(place as usize);
        if let Some(moved) = topic.subscribers.get(place as usize) {
            self.places.insert((index, *moved), place);
        } else if topic.subscribers.is_empty() {
            self.indexes.remove(&topic.name);
            *topic = Topic::default();
            self.free.push(index);
        }
    }
}

impl Server {
    /// Subscribes a client to a topic.
    pub fn subscribe(&mut self, key: u32, name: &str) -> Result<(), Error> {
        check_topic(name)?;
        let is_open = matches!(self.slots.get(key as usize),
            Some(Slot::Client(client)) if client.progress == Handshaking::Over && client.peer.may_put());
        if !is_open {
            return Err(Error::new(ErrorCode::State, "the client is not OPEN, so it can have no topic"));
        }
        if self.topics.is_subscribed(key, name) {
            return Ok(());
        }
        let options = &self.endpoint.options;
        let (each, all) = (options.limit(WS_OPT_MAX_TOPICS), options.limit(WS_OPT_MAX_SERVER_TOPICS));
        let has = self.topics.of_client(key).len() as u64;
        if has >= each {
            let why = format!("the client has {has} topics, and {MAX_TOPICS} allows {each}");
            return Err(Error::new(ErrorCode::Limit, why));
        }
        let [topics, _] = self.topics.counts();
        if topics >= all && !self.topics.indexes.contains_key(name) {
            let why = format!("the server has {topics} topics, and {MAX_SERVER_TOPICS} allows {all}");
            return Err(Error::new(ErrorCode::Limit, why));
        }
        self.topics.join(key, name);
        Ok(())
    }

    /// Ends the subscription of a client to a topic, if there is one; `None`: to all of them.
    pub fn unsubscribe(&mut self, key: u32, name: Option<&str>) -> Result<(), Error> {
        match name {
            Some(name) => {
                check_topic(name)?;
                self.topics.leave(key, name);
            }
            None => self.topics.leave_all(key),
        }
        Ok(())
    }

    /// Keys of the clients that have subscribed to a topic.
    pub fn subscribers(&self, name: &str) -> &[u32] {
        self.topics.subscribers(name)
    }

    /// The topics of a client; `None`: of all clients. One a line, sorted.
    pub fn topics(&self, key: Option<u32>) -> String {
        let mut names: Vec<&str> = match key {
            Some(key) => {
                self.topics.of_client(key).iter().map(|index| &*self.topics.topics[*index as usize].name).collect()
            }
            None => self.topics.indexes.keys().map(|name| &**name).collect(),
        };
        names.sort_unstable();
        names.join("\n")
    }

    /// Number of topics of a client.
    pub fn topics_of(&self, key: u32) -> u64 {
        self.topics.of_client(key).len() as u64
    }

    /// Number of topics with subscribers, and of subscriptions.
    pub fn topic_counts(&self) -> [u64; 2] {
        self.topics.counts()
    }
}

/// Checks the name of a topic.
pub fn check_topic(name: &str) -> Result<(), Error> {
    let why = if name.is_empty() {
        "the name of the topic is empty".to_owned()
    } else if name.len() > MAX_NAME {
        format!("the name of the topic has {} bytes: at most {MAX_NAME} are allowed", name.len())
    } else if name.chars().any(char::is_control) {
        "the name of the topic has a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorCode::Arg, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Compares random subscriptions with a map of sets.
    #[test]
    fn topics_are_sets_of_clients() {
        let mut random = 7_u64;
        let mut draw = |most: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % most
        };
        let (mut topics, mut model) = (Topics::default(), BTreeMap::<String, BTreeSet<u32>>::new());
        for _ in 0..20_000 {
            let (key, name) = (draw(20) as u32, format!("room {}", draw(12)));
            match draw(20) {
                0 => {
                    topics.leave_all(key);
                    model.values_mut().for_each(|keys| keys.retain(|of| *of != key));
                }
                1..=9 => {
                    topics.leave(key, &name);
                    model.entry(name).or_default().remove(&key);
                }
                _ if !topics.is_subscribed(key, &name) => {
                    topics.join(key, &name);
                    model.entry(name).or_default().insert(key);
                }
                _ => {}
            }
            model.retain(|_, keys| !keys.is_empty());
            let pairs: usize = model.values().map(BTreeSet::len).sum();
            assert_eq!(topics.counts(), [model.len() as u64, pairs as u64]);
            for (name, keys) in &model {
                assert_eq!(&topics.subscribers(name).iter().copied().collect::<BTreeSet<_>>(), keys);
                assert_eq!(topics.subscribers(name).len(), keys.len());
            }
            assert!(topics.topics.len() <= 12, "unused topics are used again");
        }
        (0..20).for_each(|key| topics.leave_all(key));
        assert_eq!((topics.counts(), topics.topics.capacity(), topics.free.capacity()), ([0, 0], 0, 0));
    }
}
