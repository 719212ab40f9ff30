package teams

import (
	"strings"

	"elevate/internal/card"
	"elevate/internal/pim"
)

const (
	maxMentions = 20
	maxCalled   = 60
)

// unmarked takes out of a name what would end its mention.
var unmarked = strings.NewReplacer("<", "", ">", "", "&", "")

// mentions calls people: a line with a mention each, and the entities that make
// them live. Those of other chats have nothing here to be called by.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format#user-mention-in-bots-with-adaptive-cards
func mentions(c card.Card) (line, entities []element) {
	var texts []string
	for i, a := range c.Mention {
		if a.Chat != pim.Teams || i >= len(c.MentionNames) || len(entities) == maxMentions {
			continue
		}
		name := literal(unmarked.Replace(card.Tidy(c.MentionNames[i], maxCalled)))
		if name == "" {
			continue
		}
		text := "<at>" + name + "</at>"
		texts = append(texts, text)
		entities = append(entities, element{"type": "mention", "text": text, "mentioned": element{"id": a.User, "name": name}})
	}
	if len(texts) == 0 {
		return nil, nil
	}
	return []element{{"type": "TextBlock", "text": strings.Join(texts, " "), "wrap": true}}, entities
}
