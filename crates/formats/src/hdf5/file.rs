//! A parsed file: groups and datasets by path.

use std::borrow::Cow;
use std::collections::HashMap;

use super::attribute::{Attribute, AttributeValue, fixed_text};
use super::chunked::Chunks;
use super::global_heap::GlobalHeaps;
use super::object::{self, Found};
use super::reader::Reader;
use super::superblock;
use crate::bytes::slice;
use crate::element_type::ElementType;
use crate::error::{Error, Result};
use crate::limits::{Budget, Limits};
use crate::memory::with_room;

/// Where the data of a dataset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Storage {
    /// In one piece from this offset.
    Range(u64),
    /// Nowhere: every element has the fill value.
    Filled,
    Chunks(Box<Chunks>),
    /// Strings of variable length, already read.
    Texts(Vec<String>),
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    path: String,
    attributes: Vec<Attribute>,
}

/// A dataset. It knows where its data is but does not hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    pub(super) path: String,
    pub(super) element_type: ElementType,
    pub(super) shape: Vec<u64>,
    pub(super) is_null: bool,
    pub(super) attributes: Vec<Attribute>,
    /// Bytes of data.
    pub(super) size: u64,
    pub(super) storage: Storage,
    pub(super) fill: Vec<u8>,
}

/// A group or a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A group.
    Group(Group),
    /// A dataset.
    Dataset(Dataset),
}

impl Object {
    /// The path without a leading slash; empty for the root group.
    pub fn path(&self) -> &str {
        match self {
            Self::Group(group) => &group.path,
            Self::Dataset(dataset) => &dataset.path,
        }
    }

    /// The attributes in file order.
    pub fn attributes(&self) -> &[Attribute] {
        match self {
            Self::Group(group) => &group.attributes,
            Self::Dataset(dataset) => &dataset.attributes,
        }
    }

    /// The attribute `name` if it is one string.
    pub fn text_attribute(&self, name: &str) -> Option<&str> {
        self.attributes().iter().find_map(|attribute| match &attribute.value {
            AttributeValue::Text(text) if attribute.name == name => Some(text.as_str()),
            _ => None,
        })
    }
}

impl Dataset {
    /// The path without a leading slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// The extents; empty for a scalar, `[0]` for a null dataspace.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Whether the dataset has no dataspace, as h5py's `Empty`.
    pub fn is_null(&self) -> bool {
        self.is_null
    }

    /// The data, little-endian and row-major, borrowed from `bytes` where it lies in one piece. `bytes` is the file that
    /// was parsed.
    ///
    /// # Errors
    /// `FILE_UNSUPPORTED` for strings of variable length ([`Dataset::texts`] has them); `FILE_INVALID` for damaged chunks
    /// and for booleans other than 0 and 1; `FILE_TRUNCATED` if `bytes` is shorter than the parsed file; `FILE_LIMIT`
    /// without memory.
    pub fn read<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        let data = self.raw(bytes).map_err(|error| error.in_path(&self.path))?;
        if self.element_type == ElementType::Bool
            && let Some(&byte) = data.iter().find(|&&byte| byte > 1)
        {
            return Err(Error::invalid(format!("a boolean of value {byte}")).in_path(&self.path));
        }
        Ok(data)
    }

    pub(super) fn raw<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        match &self.storage {
            Storage::Range(offset) => slice(bytes, *offset, self.size, "dataset").map(Cow::Borrowed),
            Storage::Filled => self.filled().map(Cow::Owned),
            Storage::Chunks(chunks) => {
                let mut out = self.filled()?;
                if self.size > 0 {
                    chunks.read_into(bytes, &self.shape, &mut out)?;
                }
                Ok(Cow::Owned(out))
            }
            Storage::Texts(_) => Err(Error::unsupported("strings of variable length are not bytes")),
        }
    }

    fn filled(&self) -> Result<Vec<u8>> {
        let mut out = with_room(self.size, "a dataset")?;
        if self.fill.iter().all(|&byte| byte == 0) {
            out.resize(self.size as usize, 0);
        } else {
            out.extend(self.fill.iter().cycle().take(self.size as usize));
        }
        Ok(out)
    }

    /// The strings of a dataset of strings, in row-major order.
    ///
    /// # Errors
    /// `FILE_UNSUPPORTED` when the elements are not strings, `FILE_INVALID` when they are not UTF-8, and those of
    /// [`Dataset::read`].
    pub fn texts(&self, bytes: &[u8]) -> Result<Vec<String>> {
        let wrong = |error: Error| Err(error.in_path(&self.path));
        match (&self.storage, self.element_type) {
            (Storage::Texts(texts), _) => Ok(texts.clone()),
            (_, ElementType::FixedString(size)) => {
                let data = self.read(bytes)?;
                let texts: Option<Vec<_>> = data.chunks(size as usize).map(fixed_text).collect();
                texts.map_or_else(|| wrong(Error::invalid("text that is not UTF-8")), Ok)
            }
            _ => wrong(Error::unsupported(format!("expected strings, received {}", self.element_type.name()))),
        }
    }
}

/// The structure of an HDF5 file. All ranges, shapes and indexes have been checked; data is read on demand.
#[derive(Debug, Clone)]
pub struct File {
    objects: Vec<Object>,
    by_path: HashMap<String, usize>,
}

/// An object still to be read.
struct Pending {
    address: u64,
    path: String,
    depth: usize,
    /// Index of the parent in the list of visited objects.
    parent: Option<usize>,
}

impl File {
    /// Parses `bytes` under the budget that `limits` gives a file of this length.
    ///
    /// # Errors
    /// As the module's description says, with path and offset.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self> {
        Self::parse_within(bytes, limits, &mut limits.budget(bytes.len()))
    }

    /// Parses `bytes` under a budget that something else has drawn on. Decoded sizes of all compressed or unwritten
    /// datasets are charged here, so that reading them later needs no further check.
    ///
    /// # Errors
    /// As [`File::parse`].
    pub fn parse_within(bytes: &[u8], limits: &Limits, budget: &mut Budget) -> Result<Self> {
        let superblock = superblock::read(bytes)?;
        let inside = slice(bytes, 0, superblock.end, "file")?;
        let mut reader = Reader::new(inside, limits, budget);
        reader.claim(0, superblock.length, "superblock")?;
        let mut heaps = GlobalHeaps::default();
        let mut objects: Vec<Object> = Vec::new();
        // Address and parent of every object, for telling cycles from second links.
        let mut visited: Vec<(u64, Option<usize>)> = Vec::new();
        let mut seen: HashMap<u64, usize> = HashMap::new();
        let mut pending = vec![Pending { address: superblock.root, path: String::new(), depth: 0, parent: None }];
        while let Some(next) = pending.pop() {
            let locate = |error: Error| error.in_path(&next.path);
            if let Some(&other) = seen.get(&next.address) {
                return Err(locate(second_link(&visited, &objects, other, &next)));
            }
            if next.depth > limits.max_depth {
                return Err(locate(Error::limit(format!("groups nest deeper than {}", limits.max_depth))));
            }
            let index = objects.len();
            seen.insert(next.address, index);
            visited.push((next.address, next.parent));
            match object::read(&mut reader, &mut heaps, next.address).map_err(locate)? {
                Found::Dataset(dataset) => objects.push(Object::Dataset(Dataset { path: next.path, ..dataset })),
                Found::Group { members, attributes } => {
                    for member in members.into_iter().rev() {
                        let path = join(&next.path, &member.name);
                        if path.len() > limits.max_path {
                            return Err(locate(Error::limit(format!(
                                "a path of {} bytes, at most {} are read",
                                path.len(),
                                limits.max_path
                            ))));
                        }
                        // The path is kept twice, beside what an object takes by itself.
                        reader.budget.charge(path.len() as u64 * 2 + 256, "the object list").map_err(locate)?;
                        pending.push(Pending {
                            address: member.address,
                            path,
                            depth: next.depth + 1,
                            parent: Some(index),
                        });
                    }
                    let path = next.path;
                    objects.push(Object::Group(Group { path, attributes }));
                }
            }
        }
        let by_path = objects.iter().enumerate().map(|(index, object)| (object.path().to_owned(), index)).collect();
        Ok(Self { objects, by_path })
    }

    /// Groups and datasets, parents before children, members in file order.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The datasets in that order.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.objects.iter().filter_map(|object| match object {
            Object::Dataset(dataset) => Some(dataset),
            Object::Group(_) => None,
        })
    }

    /// The object at `path`, without a leading slash; the root is at the empty path.
    pub fn get(&self, path: &str) -> Option<&Object> {
        self.by_path.get(path).and_then(|&index| self.objects.get(index))
    }

    /// The dataset at `path`.
    pub fn dataset(&self, path: &str) -> Option<&Dataset> {
        match self.get(path)? {
            Object::Dataset(dataset) => Some(dataset),
            Object::Group(_) => None,
        }
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// The error for a link to an object that has been visited: a cycle when that object is an ancestor of the link.
fn second_link(visited: &[(u64, Option<usize>)], objects: &[Object], other: usize, next: &Pending) -> Error {
    let mut ancestor = next.parent;
    while let Some(index) = ancestor {
        if index == other {
            return Error::invalid("a group that contains itself").at(next.address);
        }
        ancestor = visited.get(index).and_then(|&(_, parent)| parent);
    }
    let path = objects.get(other).map_or("", Object::path);
    Error::unsupported(format!("a second hard link to '/{}'", path.escape_debug())).at(next.address)
}
