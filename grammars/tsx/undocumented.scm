; Functions that a module exports and that have no comment: @about and @definition are the whole statement.
; What is also captured as @not is left out.
((export_statement declaration: [
    (function_declaration)
    (generator_function_declaration)
    (lexical_declaration (variable_declarator value: [(arrow_function) (function_expression)]))
  ]) @about @definition)

((comment) . (export_statement) @not)
