//! What is to be written: a tree of groups and datasets.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::{Content, TextAttribute};
use crate::element_type::ElementType;
use crate::error::{Error, Result};
use crate::hdf5::link::check_name;
use crate::limits::Limits;
use crate::tensor::NamedTensor;

/// Collects groups and datasets, then writes the file. The same calls give the same bytes, in whatever order.
#[derive(Debug)]
pub struct Writer<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    by_path: HashMap<String, usize>,
    limits: Limits,
}

#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) attributes: Vec<TextAttribute>,
    pub(super) kind: NodeKind<'a>,
}

#[derive(Debug)]
pub(super) enum NodeKind<'a> {
    /// Indexes of the members by name. HDF5 wants them in the order of their bytes.
    Group(BTreeMap<String, usize>),
    Dataset(Content<'a>),
}

impl Default for Writer<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Writer<'a> {
    /// A file with an empty root group.
    pub fn new() -> Self {
        Self {
            nodes: vec![Node { attributes: Vec::new(), kind: NodeKind::Group(BTreeMap::new()) }],
            by_path: HashMap::from([(String::new(), 0)]),
            limits: Limits::default(),
        }
    }

    /// Makes the group at `path`, such as `layers/dense/vars`, and those above it, unless they exist.
    ///
    /// # Errors
    /// `FILE_ARGUMENT` when a component is empty, `.` or `..`, the path is beyond what the reader takes, or a dataset is
    /// there.
    pub fn group(&mut self, path: &str) -> Result<()> {
        if !path.is_empty() {
            self.check_path(path)?;
            if let Some(&index) = self.by_path.get(path)
                && matches!(self.nodes[index].kind, NodeKind::Dataset(_))
            {
                return Err(Error::argument("a dataset is where a group is needed").in_path(path));
            }
            self.make_groups(path);
        }
        Ok(())
    }

    /// Gives the group or dataset at `path` the string attribute `name`.
    ///
    /// # Errors
    /// `FILE_ARGUMENT` when there is no such object, it has this attribute already, the name is empty, contains a zero
    /// or is longer than 1024 bytes, or the text contains a zero.
    pub fn attribute(&mut self, path: &str, name: &str, text: &str) -> Result<()> {
        let refused = |reason: &str| {
            Err(Error::argument(format!("attribute '{}' cannot be written: {reason}", name.escape_debug()))
                .in_path(path))
        };
        if name.is_empty() || name.len() > 1024 || name.contains('\0') {
            return refused("its name must be 1 to 1024 bytes without zeros");
        }
        if text.contains('\0') || u32::try_from(text.len()).is_err() {
            return refused("its text must be below 4 GiB and without zeros");
        }
        let Some(node) = self.by_path.get(path).and_then(|&index| self.nodes.get_mut(index)) else {
            return refused("there is no such object");
        };
        if node.attributes.iter().any(|attribute| attribute.name == name) {
            return refused("it exists already");
        }
        // A header counts its messages in 16 bits.
        if node.attributes.len() == 60_000 {
            return refused("the object has too many attributes");
        }
        node.attributes.push(TextAttribute { name: name.to_owned(), text: text.to_owned() });
        Ok(())
    }

    /// Adds a dataset at `path`, making the groups above it. `data` is little-endian and row-major. Bfloat16 is written
    /// as Keras writes it: opaque, with the attribute `dtype`.
    ///
    /// # Errors
    /// `FILE_ARGUMENT` when the path is wrong or taken, `data` has another length than `shape` needs, the rank is above
    /// 32, or the elements are strings.
    pub fn dataset(
        &mut self,
        path: &str,
        element_type: ElementType,
        shape: &[u64],
        data: impl Into<Cow<'a, [u8]>>,
    ) -> Result<()> {
        let tensor = NamedTensor { path: path.to_owned(), element_type, shape: shape.to_vec(), data: data.into() };
        tensor.check()?;
        let refused = |reason: String| Err(Error::argument(reason).in_path(path));
        if shape.len() > 32 {
            return refused(format!("rank {}, HDF5 allows 32", shape.len()));
        }
        if self.by_path.contains_key(path) {
            return refused("something has this path already".to_owned());
        }
        self.check_path(path)?;
        let parent = self.make_groups(path.rsplit_once('/').map_or("", |(parent, _)| parent));
        let content = Content { element_type, shape: tensor.shape, data: tensor.data };
        self.add(parent, path, NodeKind::Dataset(content));
        if element_type == ElementType::Bf16 {
            self.attribute(path, "dtype", "bfloat16")?;
        }
        Ok(())
    }

    /// Checks everything about a path before anything is made, so that a refused call changes nothing.
    fn check_path(&self, path: &str) -> Result<()> {
        let refused = |reason: String| Err(Error::argument(reason).in_path(path));
        if path.len() > self.limits.max_path {
            return refused(format!("the path has more than {} bytes", self.limits.max_path));
        }
        if path.split('/').count() > self.limits.max_depth {
            return refused(format!("the path is deeper than {}", self.limits.max_depth));
        }
        for name in path.split('/') {
            if let Err(error) = check_name(name, self.limits.max_path, 0) {
                return refused(error.message().to_owned());
            }
        }
        for (end, _) in path.match_indices('/') {
            if let Some(&index) = self.by_path.get(&path[..end])
                && matches!(self.nodes[index].kind, NodeKind::Dataset(_))
            {
                return refused(format!("'/{}' is a dataset, a group is needed there", &path[..end]));
            }
        }
        Ok(())
    }

    /// The group at a checked path, made with those above it where they do not exist.
    fn make_groups(&mut self, path: &str) -> usize {
        let mut parent = 0;
        if path.is_empty() {
            return parent;
        }
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let here = &path[..end];
            parent = match self.by_path.get(here) {
                Some(&index) => index,
                None => self.add(parent, here, NodeKind::Group(BTreeMap::new())),
            };
        }
        parent
    }

    fn add(&mut self, parent: usize, path: &str, kind: NodeKind<'a>) -> usize {
        let index = self.nodes.len();
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        if let NodeKind::Group(members) = &mut self.nodes[parent].kind {
            members.insert(name.to_owned(), index);
        }
        self.by_path.insert(path.to_owned(), index);
        self.nodes.push(Node { attributes: Vec::new(), kind });
        index
    }
}
