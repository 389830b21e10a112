from hypothesis import settings

# On a busy machine an example may take long; it is judged by its result.
settings.register_profile("open_payments", deadline=None)
settings.load_profile("open_payments")
