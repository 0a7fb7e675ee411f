//! Calls of our own functions, for the planners that put them into a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Expr, ScalarUDF};

use crate::engine::functions::scalar_functions;

/// The functions of the dialect by name.
#[derive(Debug)]
pub(in crate::engine) struct Calls {
    functions: BTreeMap<String, Arc<ScalarUDF>>,
}

impl Calls {
    pub(in crate::engine) fn new() -> Self {
        let functions = scalar_functions().into_iter();
        Self {
            functions: functions
                .map(|function| (function.name().to_owned(), Arc::new(function)))
                .collect(),
        }
    }

    /// A call.
    ///
    /// # Errors
    ///
    /// Where there is no such function.
    pub(super) fn call(&self, name: &str, args: Vec<Expr>) -> Result<Expr> {
        match self.functions.get(name) {
            Some(function) => Ok(function.call(args)),
            None => plan_err!("there is no function `{name}`"),
        }
    }
}
