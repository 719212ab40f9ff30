package odata

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

var errSyntax = errors.New("syntax error")

// ParseFilter reads the subset of OData's filter language that Graph takes on the sandbox's paths.
func ParseFilter(text string) (Filter, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, fmt.Errorf("%w at %q", errSyntax, p.peek().text)
	}
	return f, nil
}

type token struct {
	text   string
	quoted bool
}

func lex(text string) ([]token, error) {
	var out []token
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ':
			i++
		case c == '\'':
			value, next, err := lexString(text, i+1)
			if err != nil {
				return nil, err
			}
			out, i = append(out, token{value, true}), next
		case strings.IndexByte("(),", c) >= 0:
			out, i = append(out, token{text: string(c)}), i+1
		default:
			end := i
			for end < len(text) && strings.IndexByte(" '(),", text[end]) < 0 {
				end++
			}
			out, i = append(out, token{text: text[i:end]}), end
		}
	}
	return out, nil
}

// lexString reads up to the closing quote; two quotes stand for one.
func lexString(text string, from int) (string, int, error) {
	var b strings.Builder
	for i := from; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, nil
	}
	return "", 0, fmt.Errorf("%w: unterminated string literal", errSyntax)
}

type parser struct {
	tokens []token
	at     int
	depth  int
}

func (p *parser) peek() token {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return token{}
}

func (p *parser) take() token {
	t := p.peek()
	p.at++
	return t
}

func (p *parser) word(w string) bool {
	if t := p.peek(); !t.quoted && strings.EqualFold(t.text, w) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(w string) error {
	if !p.word(w) {
		return fmt.Errorf("%w: expected %q, found %q", errSyntax, w, p.peek().text)
	}
	return nil
}

func (p *parser) or() (Filter, error) {
	first, err := p.and()
	if err != nil {
		return nil, err
	}
	either := disjunction{first}
	for p.word("or") {
		next, err := p.and()
		if err != nil {
			return nil, err
		}
		either = append(either, next)
	}
	if len(either) == 1 {
		return first, nil
	}
	return either, nil
}

func (p *parser) and() (Filter, error) {
	first, err := p.unary()
	if err != nil {
		return nil, err
	}
	all := conjunction{first}
	for p.word("and") {
		next, err := p.unary()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	return all, nil
}

func (p *parser) unary() (Filter, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > 20 {
		return nil, fmt.Errorf("%w: nested too deeply", errSyntax)
	}
	switch {
	case p.word("not"):
		f, err := p.unary()
		return negation{f}, err
	case p.word("("):
		f, err := p.or()
		if err != nil {
			return nil, err
		}
		return f, p.expect(")")
	case p.word("startswith"):
		return p.startsWith()
	}
	return p.compare()
}

func (p *parser) startsWith() (Filter, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	path := p.take()
	if err := p.expect(","); err != nil {
		return nil, err
	}
	value := p.take()
	if path.quoted || !value.quoted {
		return nil, fmt.Errorf("%w in startswith", errSyntax)
	}
	return comparison{path.text, "startswith", value.text}, p.expect(")")
}

func (p *parser) compare() (Filter, error) {
	path := p.take()
	if path.quoted || path.text == "" || strings.Contains("(),", path.text) {
		return nil, fmt.Errorf("%w: expected a property, found %q", errSyntax, path.text)
	}
	if list, ok := strings.CutSuffix(path.text, "/any"); ok {
		return p.lambda(list)
	}
	op := strings.ToLower(p.take().text)
	if op == "in" {
		return p.in(path.text)
	}
	if !slices.Contains([]string{"eq", "ne", "ge", "gt", "le", "lt"}, op) {
		return nil, fmt.Errorf("%w: unknown operator %q", errSyntax, op)
	}
	value, err := p.literal()
	return comparison{path.text, op, value}, err
}

func (p *parser) in(path string) (Filter, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var either disjunction
	for {
		value, err := p.literal()
		if err != nil {
			return nil, err
		}
		either = append(either, comparison{path, "eq", value})
		if !p.word(",") {
			return either, p.expect(")")
		}
	}
}

// lambda reads what follows `list/any`: a variable, a colon and a filter in parentheses.
func (p *parser) lambda(list string) (Filter, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	variable, rest, ok := strings.Cut(p.peek().text, ":")
	if !ok || variable == "" {
		return nil, fmt.Errorf("%w: expected a variable and a colon", errSyntax)
	}
	if rest != "" {
		p.tokens[p.at].text = rest
	} else {
		p.at++
	}
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	return anyOf{list, variable, inner}, p.expect(")")
}

func (p *parser) literal() (any, error) {
	t := p.take()
	switch {
	case t.quoted:
		return t.text, nil
	case t.text == "" || strings.Contains("(),", t.text):
		return nil, fmt.Errorf("%w: expected a value", errSyntax)
	case t.text == "null":
		return nil, nil
	case t.text == "true", t.text == "false":
		return t.text == "true", nil
	}
	return t.text, nil // a date, a number or an identifier without quotes
}
