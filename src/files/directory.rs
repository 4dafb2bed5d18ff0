//! A directory, and how files below it are opened: name by name, so that no link leads out of it, whoever changes it
//! meanwhile.

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

/// A directory of which files are served.
#[derive(Debug)]
pub struct Directory {
    /// Absolute. It may be a link, so that a new version can take its place.
    path: PathBuf,
}

/// What a path names.
pub enum Found {
    /// A regular file, open for reading.
    File(File, Stamp),
    /// A directory.
    Directory,
}

/// A version of a file.
pub struct Stamp {
    /// Length in bytes.
    pub len: u64,
    /// When it was changed. `None`: the file system does not say.
    pub modified: Option<SystemTime>,
    /// A strong entity tag (RFC 9110 section 8.8.3): another after each change, also where the time of the change was
    /// set back.
    pub tag: String,
}

impl Directory {
    /// The directory at a path, which is relative to the current directory of the process.
    pub fn new(path: &str) -> io::Result<Directory> {
        let path = std::path::absolute(path)?;
        if !std::fs::metadata(&path)?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"));
        }
        // Otherwise no file could be opened.
        std::fs::read_dir(&path)?;
        Ok(Directory { path })
    }

    /// Opens what the names lead to. `Ok(None)`: nothing that can be served. Links are not followed.
    pub fn open(&self, names: &[String]) -> io::Result<Option<Found>> {
        let Some(file) = self.open_exactly(names)? else { return Ok(None) };
        // Of the open file, whatever its name has come to mean.
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Ok(Some(Found::Directory));
        }
        Ok(metadata.is_file().then(|| Found::File(file, Stamp::of(&metadata))))
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        let mut hasher = DefaultHasher::new();
        (metadata.modified().ok(), identity(metadata)).hash(&mut hasher);
        let (len, modified) = (metadata.len(), metadata.modified().ok());
        Stamp { len, modified, tag: format!("\"{len:x}-{:016x}\"", hasher.finish()) }
    }
}

/// Another spelling of a name, if there is one, by which a file system that ignores case finds the same file.
fn in_other_case(name: &str) -> Option<String> {
    let swapped: String = name
        .chars()
        .map(|char| if char.is_ascii_uppercase() { char.to_ascii_lowercase() } else { char.to_ascii_uppercase() })
        .collect();
    [swapped, name.to_lowercase(), name.to_uppercase()].into_iter().find(|other| other != name)
}

#[cfg(unix)]
mod system {
    use super::{Directory, in_other_case};
    use rustix::fs::{AtFlags, Dir, Mode, OFlags, fstat, open, openat, statat};
    use rustix::io::Errno;
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt;

    /// What tells a file from others, and from itself after a change.
    pub(super) fn identity(metadata: &Metadata) -> impl std::hash::Hash {
        (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
    }

    impl Directory {
        /// Opens what the names lead to. `Ok(None)`: nothing, a link, or something that may not be read.
        pub(super) fn open_exactly(&self, names: &[String]) -> io::Result<Option<File>> {
            match self.descend(names) {
                Ok(found) => Ok(found.map(File::from)),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => Ok(None),
                Err(Errno::ACCESS | Errno::PERM | Errno::NAMETOOLONG | Errno::NXIO | Errno::NODEV) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }

        fn descend(&self, names: &[String]) -> Result<Option<OwnedFd>, Errno> {
            // A pipe is opened without waiting for its other end.
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
            let mut at = open(&self.path, flags | OFlags::DIRECTORY, Mode::empty())?;
            for (index, name) in names.iter().enumerate() {
                let flags = if index + 1 < names.len() { flags | OFlags::DIRECTORY } else { flags };
                let next = openat(&at, name.as_str(), flags | OFlags::NOFOLLOW, Mode::empty())?;
                if !has_name(&at, name, &next)? {
                    return Ok(None);
                }
                at = next;
            }
            Ok(Some(at))
        }
    }

    /// Whether a directory has an entry of exactly this name, by which `opened` was opened: a file system may ignore
    /// case.
    fn has_name(directory: &OwnedFd, name: &str, opened: &OwnedFd) -> Result<bool, Errno> {
        let Some(other) = in_other_case(name) else { return Ok(true) };
        match statat(directory, other.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(true),
            Ok(other) => {
                let opened = fstat(opened)?;
                if (opened.st_dev, opened.st_ino) != (other.st_dev, other.st_ino) {
                    return Ok(true);
                }
            }
            Err(_) => {}
        }
        for entry in Dir::read_from(directory)? {
            if entry?.file_name().to_bytes() == name.as_bytes() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(windows)]
mod system {
    use super::Directory;
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::os::windows::fs::{MetadataExt, OpenOptionsExt};

    const FILE_SHARE_READ: u32 = 1;
    const FILE_SHARE_WRITE: u32 = 2;
    const FILE_SHARE_DELETE: u32 = 4;
    const FILE_ATTRIBUTE_REPARSE_POINT: u32 = 0x400;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;

    /// What tells a file from others, and from itself after a change.
    pub(super) fn identity(metadata: &Metadata) -> impl std::hash::Hash {
        (metadata.creation_time(), metadata.last_write_time())
    }

    impl Directory {
        /// Opens what the names lead to. `Ok(None)`: nothing, a link, or something that may not be read.
        pub(super) fn open_exactly(&self, names: &[String]) -> io::Result<Option<File>> {
            match self.descend(names) {
                Ok(found) => Ok(found),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound
                            | io::ErrorKind::NotADirectory
                            | io::ErrorKind::PermissionDenied
                            | io::ErrorKind::InvalidFilename
                            | io::ErrorKind::InvalidInput
                    ) =>
                {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        }

        fn descend(&self, names: &[String]) -> io::Result<Option<File>> {
            // In verbatim form: no name in it is interpreted.
            let mut path = self.path.canonicalize()?;
            // While a directory is open without FILE_SHARE_DELETE, no link can take its place.
            let mut held = Vec::new();
            for index in 0..=names.len() {
                let is_last = index == names.len();
                let share = FILE_SHARE_READ | FILE_SHARE_WRITE | if is_last { FILE_SHARE_DELETE } else { 0 };
                let opened = OpenOptions::new()
                    .read(true)
                    .share_mode(share)
                    .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
                    .open(&path)?;
                if opened.metadata()?.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
                    return Ok(None);
                }
                held.push(opened);
                if let Some(name) = names.get(index) {
                    path.push(name);
                }
            }
            // Neither another case nor a short name of it.
            Ok(if path.canonicalize()? == path { held.pop() } else { None })
        }
    }
}

use system::identity;

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::files::FilePath;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    /// A directory for one test, below which `www` is served.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Folder {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("wspeer-files-{}-{number}", std::process::id()));
            fs::create_dir_all(folder.join("www/sub")).unwrap();
            fs::write(folder.join("secret"), "secret").unwrap();
            fs::write(folder.join("www/index.html"), "index").unwrap();
            fs::write(folder.join("www/sub/a.txt"), "a").unwrap();
            Folder(folder)
        }

        fn served(&self) -> Directory {
            Directory::new(self.0.join("www").to_str().unwrap()).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// The content of a file, "dir" for a directory, `None` for nothing.
    fn content(directory: &Directory, path: &str) -> Option<String> {
        let names = FilePath::parse(path)?.names;
        match directory.open(&names).unwrap()? {
            Found::Directory => Some("dir".to_owned()),
            Found::File(mut file, stamp) => {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                assert_eq!(text.len() as u64, stamp.len);
                Some(text)
            }
        }
    }

    #[test]
    fn only_regular_files_and_directories_are_found() {
        let folder = Folder::new();
        let www = folder.0.join("www");
        symlink("../secret", www.join("link")).unwrap();
        symlink("..", www.join("up")).unwrap();
        symlink("sub", www.join("same")).unwrap();
        symlink("index.html", www.join("inner.html")).unwrap();
        symlink("loop", www.join("loop")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(www.join("socket")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(www.join("pipe")).status().unwrap();
        assert!(pipe.success());
        let served = folder.served();
        for (path, expected) in [
            ("/", Some("dir")),
            ("/index.html", Some("index")),
            ("/sub", Some("dir")),
            ("/sub/a.txt", Some("a")),
            ("/SUB/a.txt", None),
            ("/Index.html", None),
            ("/nothing", None),
            ("/sub/nothing", None),
            ("/index.html/a", None),
            ("/link", None),
            ("/up/secret", None),
            ("/up/www/index.html", None),
            ("/same/a.txt", None),
            ("/inner.html", None),
            ("/loop", None),
            ("/socket", None),
            ("/pipe", None),
        ] {
            assert_eq!(content(&served, path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn the_directory_must_exist_and_may_be_a_link() {
        let folder = Folder::new();
        let at = |name: &str| Directory::new(folder.0.join(name).to_str().unwrap());
        assert_eq!(at("nothing").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(at("secret").unwrap_err().kind(), io::ErrorKind::NotADirectory);
        symlink("www", folder.0.join("current")).unwrap();
        let served = at("current").unwrap();
        assert_eq!(content(&served, "/index.html").as_deref(), Some("index"));
        // The next version takes its place.
        fs::create_dir(folder.0.join("next")).unwrap();
        fs::write(folder.0.join("next/index.html"), "next").unwrap();
        symlink("next", folder.0.join("new")).unwrap();
        fs::rename(folder.0.join("new"), folder.0.join("current")).unwrap();
        assert_eq!(content(&served, "/index.html").as_deref(), Some("next"));
    }

    #[test]
    fn a_name_that_becomes_a_link_leads_nowhere() {
        let folder = Folder::new();
        let (served, www) = (folder.served(), folder.0.join("www"));
        fs::create_dir(folder.0.join("outside")).unwrap();
        fs::write(folder.0.join("outside/a.txt"), "secret").unwrap();
        let (over, swaps) = (AtomicBool::new(false), AtomicU32::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    symlink("../secret", www.join("new")).unwrap();
                    fs::rename(www.join("new"), www.join("index.html")).unwrap();
                    fs::write(www.join("new"), "index").unwrap();
                    fs::rename(www.join("new"), www.join("index.html")).unwrap();
                    fs::rename(www.join("sub"), www.join("kept")).unwrap();
                    symlink("../outside", www.join("sub")).unwrap();
                    fs::remove_file(www.join("sub")).unwrap();
                    fs::rename(www.join("kept"), www.join("sub")).unwrap();
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
            });
            let mut found = [0; 2];
            while swaps.load(Ordering::Relaxed) < 300 || found.contains(&0) {
                for (path, expected, count) in [("/index.html", "index", 0), ("/sub/a.txt", "a", 1)] {
                    if let Some(text) = content(&served, path) {
                        assert_eq!(text, expected, "{path} led out of the directory");
                        found[count] += 1;
                    }
                }
            }
            over.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn each_version_of_a_file_has_its_own_tag() {
        let folder = Folder::new();
        let (served, path) = (folder.served(), folder.0.join("www/index.html"));
        let tag = || match served.open(&["index.html".to_owned()]).unwrap() {
            Some(Found::File(_, stamp)) => stamp.tag,
            _ => panic!("there is a file"),
        };
        let first = tag();
        assert!(first.starts_with('"') && first.ends_with('"') && first.is_ascii() && first == tag(), "{first}");
        // Another file of the same length and time, as an archive unpacks it.
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let other = folder.0.join("other");
        fs::write(&other, "xedni").unwrap();
        File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), time);
        assert_ne!(tag(), first);
    }

    #[test]
    fn a_name_is_compared_in_another_case_if_it_has_one() {
        assert_eq!(in_other_case("Index.html").as_deref(), Some("iNDEX.HTML"));
        assert_eq!(in_other_case("\u{E9}1").as_deref(), Some("\u{C9}1"));
        assert_eq!(in_other_case("\u{C9}").as_deref(), Some("\u{E9}"));
        assert_eq!(in_other_case("12-3"), None);
    }
}
