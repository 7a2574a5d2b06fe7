"""For others: JUnit, Markdown, badge."""
