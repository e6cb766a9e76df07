package enum LifecyclePlaceholder {}
