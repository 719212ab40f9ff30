package slack

import (
	"strings"

	"github.com/slack-go/slack"

	"elevate/internal/card"
)

// valueID is the action id of every input: a form has one value for each block.
const valueID = "value"

// view draws a form as a modal. channel is where it was asked for.
func (d drawing) view(f card.Form, channel string) slack.ModalViewRequest {
	t := token{Request: f.Request, Digest: f.Digest, Channel: channel}
	v := slack.ModalViewRequest{
		Type:       slack.VTModal,
		Title:      words(f.Title, maxViewTitle, "Elevate"),
		Submit:     words(f.Submit, maxViewTitle, "Send"),
		Close:      plain("Close"),
		CallbackID: card.Cut(f.Name, maxBlockID),
	}
	if fits(t.String(), maxMetadata) {
		v.PrivateMetadata = t.String()
	}
	blocks, fields := append(d.mark(), d.lines(f.Lines)...), inputs(f.Fields)
	blocks = blocks[:min(len(blocks), maxViewBlocks-len(fields))]
	v.Blocks = slack.Blocks{BlockSet: append(blocks, fields...)}
	return v
}

// inputs draws the fields, each name once: it has to be the block's id.
func inputs(fields []card.Field) []slack.Block {
	var blocks []slack.Block
	used := map[string]bool{}
	for _, f := range fields {
		if used[f.Name] || !fits(f.Name, maxBlockID) || len(blocks) == maxViewBlocks {
			continue
		}
		used[f.Name] = true
		blocks = append(blocks, input(f))
	}
	return blocks
}

// input draws one field. Its block id is the field's name, because errors are
// told by block id.
func input(f card.Field) slack.Block {
	var hint *slack.TextBlockObject
	if strings.TrimSpace(tidy(f.Hint)) != "" {
		hint = words(f.Hint, maxLabel, ellipsis)
	}
	b := slack.NewInputBlock(f.Name, words(f.Label, maxLabel, f.Name), hint, nil)
	b.Optional = f.Optional
	if options := choices(f.Options); len(options) > 0 {
		b.Element = choice(f, options)
	} else {
		b.Element = entry(f)
	}
	return b
}

func entry(f card.Field) *slack.PlainTextInputBlockElement {
	e := slack.NewPlainTextInputBlockElement(nil, valueID)
	e.Multiline = f.Long
	e.MaxLength = maxInput
	if f.Max > 0 && f.Max < maxInput {
		e.MaxLength = f.Max
	}
	e.InitialValue = card.Cut(strings.ToValidUTF8(f.Value, ""), e.MaxLength)
	return e
}

func choice(f card.Field, options []*slack.OptionBlockObject) *slack.SelectBlockElement {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, valueID, options...)
	for _, o := range options {
		if o.Value == f.Value {
			e.InitialOption = o
		}
	}
	return e
}

// choices draws the options of a select. A value that is too long is left out:
// cut, it would be another one.
func choices(options []card.Option) []*slack.OptionBlockObject {
	var drawn []*slack.OptionBlockObject
	for _, o := range options {
		if fits(o.Value, maxOption) && len(drawn) < maxOptions {
			drawn = append(drawn, slack.NewOptionBlockObject(o.Value, words(o.Label, maxOption, o.Value), nil))
		}
	}
	return drawn
}
