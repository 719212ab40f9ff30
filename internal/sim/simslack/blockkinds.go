package simslack

import (
	"maps"
	"math"
)

// blockKinds are the blocks that may stand in a message or a view.
func blockKinds() map[string]check {
	kinds := map[string]check{
		"divider": block(fields{}),
		"header":  block(fields{"text": plain(150), "level?": number(1, 4)}),
		"section": block(fields{
			"text?": anyText(3000), "fields?": many(1, 10, anyText(2000)), "accessory?": byType(accessories()), "expand?": truth,
		}),
		"context": block(fields{"elements": many(1, 10, byType(contextKinds()))}),
		"actions": block(fields{"elements": many(1, 25, byType(clickable()))}),
		"input": block(fields{
			"label": plain(2000), "element": byType(inputs()), "hint?": plain(2000), "optional?": truth, "dispatch_action?": truth,
		}),
		"image":     image,
		"markdown":  block(fields{"text": characters(1, math.MaxInt32)}), // counted over all of them together
		"rich_text": block(fields{"elements": many(1, 100, anything)}),
		"video":     anything,
	}
	maps.Copy(kinds, newerKinds())
	return kinds
}

// newerKinds are the blocks of 2025 and later, as far as their limits are published.
func newerKinds() map[string]check {
	cell := byType(map[string]check{
		"raw_text": shape(fields{"type": anything, "text": characters(0, 3000)}), "raw_number": anything, "rich_text": anything,
	})
	card := fields{
		"title?": anyText(150), "subtitle?": anyText(150), "body?": anyText(200), "icon?": anything, "hero_image?": anything,
		"actions?": many(1, 25, byType(clickable())),
	}
	return map[string]check{
		"alert": block(fields{"text": anyText(200), "level?": oneOf("default", "info", "warning", "error", "success")}),
		"table": block(fields{"rows": many(1, 100, many(1, 20, cell)), "column_settings?": many(0, 20, anything)}),
		"card":  block(card),
		"carousel": block(fields{
			"elements": many(1, 10, byType(map[string]check{"card": block(card)})),
		}),
		"container": block(fields{"title?": anyText(150), "child_blocks": many(1, 10, anything)}),
	}
}

// accessories are the elements that may stand beside a section's text.
func accessories() map[string]check {
	kinds := clickable()
	kinds["image"] = image
	return kinds
}

func contextKinds() map[string]check {
	return map[string]check{
		"plain_text": plain(3000),
		"mrkdwn":     textObject(3000, "mrkdwn"),
		"image":      image,
	}
}

// CheckView lists what Slack would refuse in a view, in its words.
func CheckView(view map[string]any) []string {
	f := &findings{blocks: map[string]bool{}, modal: text(view["type"]) == "modal"}
	blocks := func(f *findings, at string, v any) {
		list, ok := v.([]any)
		if !ok {
			f.add(at, "must be an array")
			return
		}
		f.checkBlocks(at, list, maxViewBlocks)
	}
	common := fields{
		"type": anything, "blocks": blocks, "private_metadata?": characters(0, 3000), "callback_id?": characters(0, 255), "external_id?": characters(0, 255),
	}
	modal := merge(common, fields{
		"title": plain(24), "submit?": plain(24), "close?": plain(24),
		"clear_on_close?": truth, "notify_on_close?": truth, "submit_disabled?": truth,
	})
	byType(map[string]check{"modal": shape(modal), "home": shape(common)})(f, "/view", view)
	if f.modal && f.inputs > 0 && view["submit"] == nil {
		f.add("/view", "submit is required when there is an input block")
	}
	return f.sorted()
}

// known is built once: the limits do not change.
var known = blockKinds()
