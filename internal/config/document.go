package config

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A settings file has a few kilobytes and nests five deep. The parser takes the square of the depth of brackets, in time
// and in memory.
const (
	maxFile  = 256 << 10
	maxDepth = 20
)

// position is a place in the file, counted from 1.
type position struct{ line, column int }

// kind is what a node of the file is.
type kind int

const (
	section kind = iota // keys with values
	list
	text
	number
	boolean
	empty // a key without a value, or null
	odd   // an anchor, alias, tag or merge: nothing a settings file needs
)

// node is one value of the file with its place. It keeps only what the settings need of YAML.
type node struct {
	kind  kind
	at    position
	text  string
	pairs []pair
	items []node
}

// pair is a key of a section with its value.
type pair struct {
	key   string
	at    position
	value node
}

// problem is what is wrong with the file as YAML.
type problem struct {
	at  position
	say string
}

// parse reads one YAML document. A file without any is an empty section.
func parse(content []byte) (node, *problem) {
	start := position{1, 1}
	if len(content) > maxFile {
		return node{}, &problem{start, "The file is larger than 256 KiB, which no settings are. Check the path."}
	}
	tokens := lexer.Tokenize(string(content))
	if deep := tooDeep(tokens); deep != nil {
		return node{}, deep
	}
	// Duplicate keys are found by the decoder, which goes on afterwards.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return node{}, syntaxProblem(err)
	}
	root := node{kind: section, at: start}
	found := false
	for _, document := range file.Docs {
		if document.Body == nil {
			continue
		}
		if found {
			return node{}, &problem{convert(document.Body).at, "The file has a second document. Put all settings into one, without `---` between them."}
		}
		found, root = true, convert(document.Body)
	}
	if root.kind != section {
		return node{}, &problem{root.at, "The file must hold settings, each a key, a colon and a value."}
	}
	return root, nil
}

func tooDeep(tokens token.Tokens) *problem {
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		default:
		}
		if depth > maxDepth {
			return &problem{tokenPlace(t), "The brackets nest deeper than any setting does. Check that each is closed."}
		}
	}
	return nil
}

// syntaxProblem takes the parser's place and sentence, but never its quotation of the file.
func syntaxProblem(err error) *problem {
	found := &problem{position{1, 1}, "The file is not YAML. Check indentation, colons and quotes."}
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		found.at = tokenPlace(syntax.Token)
		if !strings.Contains(syntax.Message, `"`) {
			found.say = "The file is not YAML here: " + syntax.Message + ". Check indentation, colons and quotes."
		}
	}
	return found
}

func convert(from ast.Node) node {
	at := place(from)
	switch from := from.(type) {
	case *ast.MappingNode:
		return convertSection(from)
	case *ast.SequenceNode:
		converted := node{kind: list, at: at}
		for _, item := range from.Values {
			converted.items = append(converted.items, convert(item))
		}
		return converted
	case *ast.StringNode:
		return node{kind: text, at: at, text: from.Value}
	case *ast.LiteralNode:
		return node{kind: text, at: at, text: from.Value.Value}
	case *ast.IntegerNode, *ast.FloatNode:
		return node{kind: number, at: at, text: from.GetToken().Value}
	case *ast.BoolNode:
		return node{kind: boolean, at: at, text: from.GetToken().Value}
	case *ast.NullNode:
		return node{kind: empty, at: at}
	default:
		return node{kind: odd, at: at}
	}
}

func convertSection(from *ast.MappingNode) node {
	converted := node{kind: section, at: place(from)}
	for _, entry := range from.Values {
		key, ok := entry.Key.(*ast.StringNode)
		if !ok {
			converted.pairs = append(converted.pairs, pair{at: place(entry.Key), value: convert(entry.Value)})
			continue
		}
		converted.pairs = append(converted.pairs, pair{key: key.Value, at: place(key), value: convert(entry.Value)})
	}
	if len(converted.pairs) > 0 && !from.IsFlowStyle {
		// A block mapping's own token is its first colon; its first key is where a reader sees it begin.
		converted.at = converted.pairs[0].at
	}
	return converted
}

func place(from ast.Node) position {
	return tokenPlace(from.GetToken())
}

func tokenPlace(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{t.Position.Line, t.Position.Column}
}
