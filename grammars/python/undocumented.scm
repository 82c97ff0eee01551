; Functions that a documentation shows and that have none: @about the function, @body its first statement.
; What is also captured as @not is left out.
((function_definition name: (identifier) @name body: (block . (_) @body)) @about
  (#not-match? @name "^_"))

((function_definition body: (block . (expression_statement [(string) (concatenated_string)]))) @not)

; Functions inside of functions are nobody else's business.
(function_definition body: (_ (function_definition) @not))
(function_definition body: (_ (decorated_definition definition: (function_definition) @not)))
(function_definition body: (_ (_ (block (function_definition) @not))))
