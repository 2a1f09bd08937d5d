from hypothesis import settings

# A slow or busy machine is no fault of the code under test.
settings.register_profile("keel", deadline=None)
settings.load_profile("keel")
