"""django-mongodb-backend with transactions; what DATABASE_URL=mongodb://… selects."""
