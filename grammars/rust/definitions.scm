; Named nodes: @definition with its @name and @body.
(function_item name: (_) @name body: (_) @body) @definition
(struct_item name: (_) @name body: (_) @body) @definition
(enum_item name: (_) @name body: (_) @body) @definition
(union_item name: (_) @name body: (_) @body) @definition
(trait_item name: (_) @name body: (_) @body) @definition
(mod_item name: (_) @name body: (_) @body) @definition
(impl_item type: [
    (type_identifier) @name
    (scoped_type_identifier) @name
    (generic_type type: (_) @name)
  ] body: (_) @body) @definition
