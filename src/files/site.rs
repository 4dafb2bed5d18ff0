//! The directories that a server serves, by the start of their paths.

use super::{Directory, FilePath};
use std::sync::Arc;

/// A directory that is served.
pub struct Site {
    /// The paths that it takes. Without names: all.
    pub prefix: FilePath,
    /// Where its files are.
    pub directory: Directory,
    /// Its pages are isolated from others (WS_SERVE_ISOLATED).
    pub isolated: bool,
}

/// All sites of a server.
#[derive(Default)]
pub struct Sites {
    /// Those with the most names first.
    list: Vec<Arc<Site>>,
}

impl Sites {
    /// Adds a site, or replaces the one with its prefix.
    pub fn set(&mut self, site: Site) {
        self.remove(&site.prefix);
        let at = self.list.partition_point(|other| other.prefix.names.len() > site.prefix.names.len());
        self.list.insert(at, Arc::new(site));
    }

    /// Removes the site with this prefix. False: there is none.
    pub fn remove(&mut self, prefix: &FilePath) -> bool {
        let before = self.list.len();
        self.list.retain(|site| site.prefix.names != prefix.names);
        self.list.len() < before
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The site that a path of a request belongs to, with the longest prefix. A path that names no file belongs to the
    /// site that takes all paths.
    pub fn find(&self, path: Option<&FilePath>) -> Option<&Arc<Site>> {
        self.list.iter().find(|site| match path {
            Some(path) => path.below(&site.prefix).is_some(),
            None => site.prefix.names.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FilePath {
        FilePath::parse(text).unwrap()
    }

    fn site(prefix: &str, isolated: bool) -> Site {
        let directory = Directory::new(env!("CARGO_MANIFEST_DIR")).unwrap();
        Site { prefix: path(prefix), directory, isolated }
    }

    #[test]
    fn the_longest_prefix_takes_a_path() {
        let mut sites = Sites::default();
        for prefix in ["/a/", "/a/b/c", "/d", "/a/b"] {
            sites.set(site(prefix, false));
        }
        let found = |sites: &Sites, text: &str| {
            sites.find(FilePath::parse(text).as_ref()).map(|site| site.prefix.names.join("/"))
        };
        for (text, expected) in [
            ("/a", Some("a")),
            ("/a/x", Some("a")),
            ("/a/b", Some("a/b")),
            ("/a/b/", Some("a/b")),
            ("/a/b/x/c", Some("a/b")),
            ("/a/b/c/x", Some("a/b/c")),
            ("/d/x", Some("d")),
            ("/", None),
            ("/x", None),
            ("/ab", None),
            ("/../a", None),
        ] {
            assert_eq!(found(&sites, text).as_deref(), expected, "{text}");
        }
        sites.set(site("/", false));
        assert_eq!(found(&sites, "/x").as_deref(), Some(""));
        assert_eq!(found(&sites, "/../a").as_deref(), Some(""));
        assert!(sites.remove(&path("/a/b/")) && !sites.remove(&path("/a/b")));
        assert_eq!(found(&sites, "/a/b").as_deref(), Some("a"));
    }

    #[test]
    fn a_prefix_has_one_site() {
        let mut sites = Sites::default();
        assert!(sites.is_empty());
        sites.set(site("/a", false));
        sites.set(site("/a/", true));
        assert!(sites.find(Some(&path("/a"))).unwrap().isolated);
        assert!(sites.remove(&path("/a")) && sites.is_empty());
    }
}
