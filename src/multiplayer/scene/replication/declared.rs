//! What the program has declared: the scenes of spawners with their synchronizers, and synchronizers by path.

use crate::error::{Error, shown};
use crate::status::ErrorCode;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Maximum number of declared scenes, and of synchronizers declared by path.
const MAX_DECLARED: usize = 1 << 16;
/// Maximum number of properties of a synchronizer with the mode "change": its packets have a bit for each.
const MAX_CHANGE: usize = 64;
/// Maximum number of synchronizers of a scene.
const MAX_SYNCHRONIZERS: usize = 1 << 12;
/// Maximum number of properties of a synchronizer.
const MAX_PROPERTIES: usize = 1 << 12;

/// The properties of a synchronizer, in the order of its configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Synchronizer {
    /// Names, each with a NUL behind it.
    pub(super) names: Vec<u8>,
    /// Where each name begins.
    pub(super) places: Vec<u32>,
    /// Indices of the properties that a spawn brings.
    pub(super) spawn: Vec<u16>,
    /// Those that are sent all the time.
    pub(super) always: Vec<u16>,
    /// Those that are sent when they have changed.
    pub(super) change: Vec<u16>,
}

impl Synchronizer {
    /// Reads "name mode mode, name".
    fn read(list: &str) -> Result<Synchronizer, String> {
        let mut of = Synchronizer { names: vec![], places: vec![], spawn: vec![], always: vec![], change: vec![] };
        if list.trim().is_empty() {
            return Ok(of);
        }
        let mut known = HashSet::new();
        for (index, part) in list.split(',').enumerate() {
            let (mut name, mut modes) = (part.trim(), [false; 3]);
            while let Some((before, word)) = name.rsplit_once(char::is_whitespace) {
                let Some(mode) = ["spawn", "always", "change"].iter().position(|mode| *mode == word) else { break };
                modes[mode] = true;
                name = before.trim_end();
            }
            if modes == [false; 3] {
                modes = [true, true, false];
            }
            if name.is_empty() || !known.insert(name) {
                return Err(format!("the property {} is empty or named twice", shown(name)));
            }
            let [spawn, always, change] = modes;
            if always && change {
                return Err(format!("{} is sent always and on change: choose one", shown(name)));
            }
            if index >= MAX_PROPERTIES {
                return Err(format!("a synchronizer has at most {MAX_PROPERTIES} properties"));
            }
            let index = index as u16;
            of.places.push(of.names.len() as u32);
            of.names.extend_from_slice(name.as_bytes());
            of.names.push(0);
            of.spawn.extend(spawn.then_some(index));
            of.always.extend(always.then_some(index));
            of.change.extend(change.then_some(index));
        }
        if of.change.len() > MAX_CHANGE {
            return Err(format!("a synchronizer has at most {MAX_CHANGE} properties with \"change\""));
        }
        Ok(of)
    }

    /// Number of properties.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The name of a property.
    pub(super) fn name(&self, index: usize) -> &str {
        let from = self.places.get(index).map_or(0, |place| *place as usize);
        let name = self.names[from..].split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// The index of the property with this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        (0..self.len()).find(|index| self.name(*index) == name)
    }
}

/// A scene in the list of a spawner.
#[derive(Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Path of the spawner, relative to the scene's root.
    pub(super) spawner: Arc<str>,
    /// Index of the scene.
    pub(super) scene: u8,
    /// Its synchronizers of the spawner's authority, in the order in which they enter the tree.
    pub(super) synchronizers: Vec<Arc<Synchronizer>>,
}

/// A synchronizer that no spawn lists.
pub(super) struct Lone {
    pub(super) path: Arc<str>,
    /// Who may synchronize; 0: this program.
    pub(super) authority: i32,
    pub(super) synchronizer: Arc<Synchronizer>,
    /// The time of the authority's last packet.
    pub(super) time: Option<u16>,
}

struct Spawner {
    /// Who may spawn; 0: this program.
    authority: i32,
    scenes: BTreeMap<u8, Arc<Declaration>>,
}

/// All declarations.
#[derive(Default)]
pub struct Declared {
    spawners: HashMap<Arc<str>, Spawner>,
    lone: HashMap<Arc<str>, Lone>,
    /// Number of declared scenes.
    scenes: usize,
}

impl Declared {
    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.spawners.is_empty() && self.lone.is_empty()
    }

    /// Declares a scene; see ws_declare_scene().
    pub fn declare(&mut self, path: &str, authority: i32, scene: u8, list: &str) -> Result<(), Error> {
        let synchronizers: Result<Vec<_>, _> = if list.trim().is_empty() {
            Ok(Vec::new())
        } else {
            list.split(';').map(|one| Synchronizer::read(one).map(Arc::new)).collect()
        };
        let synchronizers = synchronizers.map_err(wrong)?;
        if synchronizers.len() > MAX_SYNCHRONIZERS {
            return Err(wrong(format!("a scene has at most {MAX_SYNCHRONIZERS} synchronizers")));
        }
        let path: Arc<str> = path.into();
        let new = Declaration { spawner: path.clone(), scene, synchronizers };
        if let Some(spawner) = self.spawners.get(&path) {
            if spawner.authority != authority {
                return Err(wrong(format!("{} was declared with another authority", shown(&path))));
            }
            if let Some(before) = spawner.scenes.get(&scene) {
                return if **before == new {
                    Ok(())
                } else {
                    Err(wrong(format!(
                        "scene {scene} of {} was declared with other properties: forget it first, with NULL",
                        shown(&path)
                    )))
                };
            }
        }
        check_room(self.scenes)?;
        self.scenes += 1;
        let spawner = self.spawners.entry(path).or_insert_with(|| Spawner { authority, scenes: BTreeMap::new() });
        spawner.scenes.insert(scene, Arc::new(new));
        Ok(())
    }

    /// Forgets a scene.
    pub fn forget(&mut self, path: &str, scene: u8) -> Result<(), Error> {
        let spawner = self.spawners.get_mut(path);
        let is_known = spawner.is_some_and(|spawner| spawner.scenes.remove(&scene).is_some());
        if !is_known {
            return Err(wrong(format!("scene {scene} of {} is not declared", shown(path))));
        }
        self.scenes -= 1;
        self.spawners.retain(|_, spawner| !spawner.scenes.is_empty());
        Ok(())
    }

    /// Declares a synchronizer that no spawn lists. True: it is new.
    pub fn declare_lone(&mut self, path: &str, authority: i32, list: &str) -> Result<bool, Error> {
        let synchronizer = Arc::new(Synchronizer::read(list).map_err(wrong)?);
        if let Some(before) = self.lone.get(path) {
            return if before.authority == authority && before.synchronizer == synchronizer {
                Ok(false)
            } else {
                Err(wrong(format!("{} was declared otherwise: forget it first, with NULL", shown(path))))
            };
        }
        check_room(self.lone.len())?;
        let path: Arc<str> = path.into();
        self.lone.insert(path.clone(), Lone { path, authority, synchronizer, time: None });
        Ok(true)
    }

    /// Forgets a synchronizer.
    pub fn forget_lone(&mut self, path: &str) -> Result<(), Error> {
        let known = self.lone.remove(path).is_some();
        if known { Ok(()) } else { Err(wrong(format!("the synchronizer {} is not declared", shown(path)))) }
    }

    /// A peer has gone, or all have (`None`): another one with its id, such as a host that was restarted, begins to count
    /// the time of its packets again.
    pub fn leave(&mut self, peer: Option<i32>) {
        let gone = self.lone.values_mut().filter(|lone| peer.is_none_or(|peer| lone.authority == peer));
        gone.for_each(|lone| lone.time = None);
    }

    /// The authority of a spawner.
    pub(super) fn authority(&self, spawner: &str) -> Option<i32> {
        self.spawners.get(spawner).map(|spawner| spawner.authority)
    }

    /// A declared scene.
    pub(super) fn scene(&self, spawner: &str, scene: u8) -> Option<&Arc<Declaration>> {
        self.spawners.get(spawner)?.scenes.get(&scene)
    }

    /// A declared synchronizer.
    pub(super) fn lone(&mut self, path: &str) -> Option<&mut Lone> {
        self.lone.get_mut(path)
    }
}

fn check_room(count: usize) -> Result<(), Error> {
    if count < MAX_DECLARED {
        Ok(())
    } else {
        Err(Error::new(ErrorCode::Limit, format!("{MAX_DECLARED} are declared: forget some")))
    }
}

pub(super) fn wrong(why: String) -> Error {
    Error::new(ErrorCode::Arg, why)
}
