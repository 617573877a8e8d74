"""Plans that change tags: facts about tags, rules, policies, plans and journals, without I/O."""
