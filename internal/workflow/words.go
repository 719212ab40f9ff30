package workflow

import (
	"elevate/internal/pim"
	"elevate/internal/store"
)

// Words that nobody knows are kept with how often they were met, so that an
// administrator hears of them: at most so many, of at most so many characters.
const (
	wordsNote = "unknown words"
	wordsMost = 50
	wordMost  = 64
)

// unknownWord keeps the state, and says and counts which word PIM used.
func (s *Service) unknownWord(tx *store.Tx, r *pim.Request) error {
	words, err := UnknownWords(tx)
	if err != nil {
		return err
	}
	word := r.Copy.Status
	if len([]rune(word)) > wordMost {
		word = string([]rune(word)[:wordMost])
	}
	if _, met := words[word]; met || len(words) < wordsMost {
		words[word]++
		if err := tx.PutMeta(wordsNote, words); err != nil {
			return err
		}
	}
	return s.record(tx, r, pim.Event{Kind: pim.EventUnknownWord, Chat: pim.System, From: r.State, Text: r.Copy.Status})
}

// UnknownWords returns the words of PIM's that Elevate does not know, and how
// often requests turned to them.
func UnknownWords(tx *store.Tx) (map[string]int, error) {
	words := map[string]int{}
	_, err := tx.Meta(wordsNote, &words)
	return words, err
}
