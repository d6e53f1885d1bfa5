//! `#[derive(ContractJson)]`: the JSON form of a record, variant or enum of the contract, as docs/evidence.md has it.
//!
//! wasmtime's bindings carry the names of the WIT in `#[component(name = "…")]`; what is derived writes and reads those names,
//! so nobody has to write a second list of the contract's fields that could fall behind. The trait and what is called here are
//! `crate::evidence::json` of the host, the one crate that has such bindings.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Fields, LitStr, Result};

/// Derives `crate::evidence::json::ContractJson` for a type that wasmtime's `bindgen!` made.
#[proc_macro_derive(ContractJson, attributes(component))]
pub fn contract_json(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    derive(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let (write, read) = match &input.data {
        Data::Struct(data) => record(&data.fields)?,
        Data::Enum(data) => variant(data.variants.iter())?,
        Data::Union(_) => return Err(Error::new_spanned(input, "the contract has no unions")),
    };
    let name = &input.ident;
    Ok(quote! {
        impl crate::evidence::json::ContractJson for #name {
            fn write(&self, out: &mut crate::evidence::json::Writer) {
                #write
            }

            fn read(
                value: crate::evidence::json::Value,
                contents: &crate::evidence::json::Contents,
            ) -> ::core::result::Result<Self, crate::evidence::json::JsonError> {
                #read
            }
        }
    })
}

/// How a record is written and read: an object with every field, in the contract's order.
fn record(fields: &Fields) -> Result<(TokenStream, TokenStream)> {
    let mut writes = Vec::new();
    let mut reads = Vec::new();
    for (position, field) in fields.iter().enumerate() {
        let Some(ident) = &field.ident else {
            return Err(Error::new_spanned(field, "a record's fields have names"));
        };
        let name = wit_name(&field.attrs).ok_or_else(|| Error::new_spanned(field, "no name of the contract"))??;
        let opening = format!("{}\"{name}\":", if position == 0 { "{" } else { "," });
        writes.push(quote! {
            out.raw(#opening);
            crate::evidence::json::ContractJson::write(&self.#ident, out);
        });
        reads.push(quote! { #ident: object.field(#name, contents)? });
    }
    let write = quote! { #(#writes)* out.raw("}"); };
    let read = quote! {
        let mut object = crate::evidence::json::Object::new(value)?;
        let record = Self { #(#reads),* };
        object.end()?;
        Ok(record)
    };
    Ok((write, read))
}

/// How a variant or an enum is written and read: the case's name, or an object with its payload under that name.
fn variant<'a>(cases: impl Iterator<Item = &'a syn::Variant>) -> Result<(TokenStream, TokenStream)> {
    let (mut writes, mut bare, mut loaded) = (Vec::new(), Vec::new(), Vec::new());
    for case in cases {
        let ident = &case.ident;
        let name = wit_name(&case.attrs).ok_or_else(|| Error::new_spanned(case, "no name of the contract"))??;
        if case.fields.is_empty() {
            let text = format!("\"{name}\"");
            writes.push(quote! { Self::#ident => out.raw(#text) });
            bare.push(quote! { #name => Ok(Self::#ident) });
        } else {
            let opening = format!("{{\"{name}\":");
            writes.push(quote! {
                Self::#ident(payload) => {
                    out.raw(#opening);
                    crate::evidence::json::ContractJson::write(payload, out);
                    out.raw("}");
                }
            });
            loaded.push(quote! { #name => payload.read(contents).map(Self::#ident) });
        }
    }
    let write = quote! { match self { #(#writes),* } };
    let read = quote! {
        match crate::evidence::json::Case::new(value)? {
            crate::evidence::json::Case::Bare(name) => match name.as_str() {
                #(#bare,)*
                _ => Err(crate::evidence::json::JsonError::Case(name)),
            },
            crate::evidence::json::Case::Loaded(payload) => match payload.name() {
                #(#loaded,)*
                name => Err(crate::evidence::json::JsonError::Case(name.to_owned())),
            },
        }
    };
    Ok((write, read))
}

/// The name in `#[component(name = "…")]`.
fn wit_name(attributes: &[Attribute]) -> Option<Result<String>> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("component"))?;
    let mut name = None;
    let parsed = attribute.parse_nested_meta(|meta| {
        let value: LitStr = meta.value()?.parse()?;
        name = meta.path.is_ident("name").then(|| value.value());
        Ok(())
    });
    match parsed {
        Ok(()) => name.map(Ok),
        Err(error) => Some(Err(error)),
    }
}
