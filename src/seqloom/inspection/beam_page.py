def page_of(tree):
    return ""
