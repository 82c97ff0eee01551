; Named nodes: @definition with its @name and @body; @scope is the type that a method belongs to.
(function_declaration name: (_) @name body: (_) @body) @definition
(method_declaration
  receiver: (parameter_list
    (parameter_declaration
      type: [
        (type_identifier) @scope
        (generic_type type: (_) @scope)
        (pointer_type (type_identifier) @scope)
        (pointer_type (generic_type type: (_) @scope))
      ]))
  name: (_) @name body: (_) @body) @definition
(type_spec name: (_) @name
  type: [(struct_type (field_declaration_list) @body) (interface_type) @body]) @definition
