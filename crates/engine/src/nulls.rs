//! Whether an expression may be null for some row of a flow.

use std::collections::BTreeSet;

use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};

use crate::functions;

/// What is known of the rows of a flow.
#[derive(Debug)]
pub(crate) struct Conditions {
    /// Holds for each of them.
    pub(crate) hold: Vec<Expr>,
    /// Holds for none of them.
    pub(crate) do_not: Vec<Expr>,
}

/// Where nulls may be.
#[derive(Debug)]
pub(crate) struct Nulls<'a> {
    schema: &'a DFSchemaRef,
    /// Expressions that conditions see to.
    never: BTreeSet<String>,
}

impl<'a> Nulls<'a> {
    /// Where nulls may be in rows of which this is known.
    #[expect(clippy::needless_pass_by_value, reason = "they are made for this")]
    pub(crate) fn of(conditions: Conditions, schema: &'a DFSchemaRef) -> Self {
        let held = conditions.hold.iter().flat_map(split_conjunction);
        let held = held.filter_map(|condition| match condition {
            Expr::IsNotNull(of) => Some(of.to_string()),
            _ => None,
        });
        let mut never: BTreeSet<String> = held.collect();
        for condition in &conditions.do_not {
            missing_in(condition, &mut never);
        }
        Self { schema, never }
    }

    /// Whether the expression may be null.
    ///
    /// DataFusion takes every function for one that may give null; ours give null only for null,
    /// but for the one that reads JSON, which has a null of its own.
    pub(crate) fn may_be_in(&self, expression: &Expr) -> bool {
        if self.never.contains(&expression.to_string()) {
            return false;
        }
        match expression {
            Expr::Cast(cast) => self.may_be_in(&cast.expr),
            Expr::BinaryExpr(of) => self.may_be_in(&of.left) || self.may_be_in(&of.right),
            Expr::ScalarFunction(call)
                if call.name() != "json_text" && functions::definition(call.name()).is_some() =>
            {
                call.args.iter().any(|given| self.may_be_in(given))
            }
            other => other.nullable(self.schema.as_ref()).unwrap_or(true),
        }
    }
}

/// The expressions that are null only where the condition holds.
fn missing_in(condition: &Expr, found: &mut BTreeSet<String>) {
    match condition {
        Expr::IsNull(of) => {
            found.insert(of.to_string());
        }
        Expr::BinaryExpr(of) if of.op == Operator::Or => {
            missing_in(&of.left, found);
            missing_in(&of.right, found);
        }
        _ => {}
    }
}
